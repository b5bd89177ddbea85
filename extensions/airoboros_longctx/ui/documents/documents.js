// The buttons of the Documents panel, and links to sources. Once per page, however often this runs.
// A press becomes a small JSON object in a hidden field, and a hidden button sends it; one waits for the answer to the
// one before it.
(() => {
  if (window.airoborosLongctxDocuments) return;
  window.airoborosLongctxDocuments = true;
  const NAME = "data-airoboros-longctx", SOURCE = "#airoboros-longctx-source-";
  const $ = (selector) => document.querySelector(selector);
  const panel = () => $("#airoboros-longctx-documents");
  const list = () => $("#airoboros-longctx-list .airoboros-longctx-list");
  const queue = [];
  let asked = null, number = Date.now(), focused = null, afterwards = null;

  const press = () => {
    const found = $("#airoboros-longctx-act");
    (found?.matches("button") ? found : found?.querySelector("button"))?.click();
  };
  const next = () => {
    if (asked || !queue.length) return;
    const field = $("#airoboros-longctx-action textarea, #airoboros-longctx-action input");
    if (!field) { setTimeout(next, 100); return; }
    asked = queue.shift();
    field.value = JSON.stringify(asked);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(press, 20);  // Gradio takes the field's value over in a moment of its own
    asked.timer = setTimeout(answered, 10000);  // an answer that never comes holds up nothing for good
  };
  const ask = (what) => {
    list()?.setAttribute("aria-busy", "true");
    queue.push({ ...what, number: ++number });
    next();
  };
  const answered = () => {
    clearTimeout(asked.timer);
    afterwards = { ...asked, until: Date.now() + 3000 };
    asked = null;
    if (!queue.length) list()?.removeAttribute("aria-busy");
    next();
  };

  // What was asked for is looked at: the editor, the passage, the button that takes it back.
  const LOOK_AT = {
    edit: () => $("#airoboros-longctx-title :is(input, textarea)"),
    remove: () => $(`#airoboros-longctx-said [${NAME}=undo]`),
    preview: () => {
      const shown = $(`.airoboros-longctx-preview[data-number="${afterwards.number}"]`);
      return shown && (shown.querySelector("mark") || shown.querySelector("pre"));
    },
  };
  const arrive = () => {
    const target = LOOK_AT[afterwards.do] ? LOOK_AT[afterwards.do]() : null;
    if (target && target.offsetParent !== null) {
      if (afterwards.do !== "remove") target.scrollIntoView({ block: "center" });
      target.focus({ preventScroll: true });
      afterwards = null;
    } else if (!LOOK_AT[afterwards.do] || Date.now() > afterwards.until) afterwards = null;
  };
  // A list that was drawn anew has other buttons: the focus goes to the one of the same name.
  const refocus = () => {
    const now = document.activeElement;
    const stays = now === document.body || now?.closest("#airoboros-longctx-list");
    if (!focused || !stays || (now.dataset.id === focused.id && now.getAttribute(NAME) === focused.do)) return;
    const same = [...document.querySelectorAll(`#airoboros-longctx-list [${NAME}="${focused.do}"]`)];
    const found = same.find((one) => one.dataset.id === focused.id);
    if (found) found.focus({ preventScroll: true });
  };
  // Gradio 6 changes the rows in place: what a person ticked or chose in one would stay when another document takes it.
  const restate = () => {
    if (asked || queue.length || !list()) return;
    list().removeAttribute("aria-busy");
    for (const box of list().querySelectorAll("input")) box.checked = box.hasAttribute("checked");
    for (const choice of list().querySelectorAll("select")) {
      choice.value = choice.querySelector("option[selected]")?.value;
    }
  };
  new MutationObserver((changes) => {
    if (asked && list()?.dataset.answered === String(asked.number)) answered();
    if (afterwards) arrive();
    if (!changes.some((change) => change.target.closest?.("#airoboros-longctx-list"))) return;
    restate();
    refocus();
  }).observe(document.body, {
    subtree: true, childList: true, attributes: true,
    attributeFilter: ["data-answered", "data-id", "checked", "selected"],
  });
  document.addEventListener("focusin", (event) => {
    const one = event.target.closest?.(`#airoboros-longctx-list [${NAME}]`);
    focused = one ? { do: one.getAttribute(NAME), id: one.dataset.id } : null;
  });

  const copy = async (button) => {
    const text = button.closest("section").querySelector("code").textContent, label = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {  // a page that is not served over https may not use the clipboard
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1200);
  };
  const open = (href) => {
    const [, id, start, end] = href.slice(SOURCE.length).match(/^(.+)-(\d+)-(\d+)$/) || [];
    if (!id) return;
    const label = panel()?.querySelector(".label-wrap");
    if (label && !label.classList.contains("open")) label.click();
    ask({ do: "preview", id: decodeURIComponent(id), start: Number(start), end: Number(end) });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(`a[href^="${SOURCE}"]`);
    if (link) {
      event.preventDefault();
      event.stopPropagation();
      open(link.getAttribute("href"));
      return;
    }
    const button = event.target.closest?.(`button[${NAME}]`);
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    event.preventDefault();
    const what = button.getAttribute(NAME);
    if (what === "copy") copy(button);
    else ask({ do: what, id: button.dataset.id || "" });
  }, true);
  document.addEventListener("change", (event) => {
    const one = event.target.closest?.(`#airoboros-longctx-list [${NAME}]`);
    if (!one) return;
    const what = one.getAttribute(NAME);
    ask({ do: what, id: one.dataset.id, ...(what === "switch" ? { on: one.checked } : { scope: one.value }) });
  }, true);
})();
