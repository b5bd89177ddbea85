// Give every PLAINFORMAT code block of the chat a copy and a download button. Once per page, however often this runs.
(() => {
  if (window.airoborosLongctxCode) return;
  const CODE = "code.language-plainformat, .language-plainformat code, pre[data-language='plainformat'] code";
  const button = (label, title, action) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.title = title;
    made.addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); action(made); });
    return made;
  };
  const say = (made, text) => {
    const label = made.textContent;
    made.textContent = text;
    setTimeout(() => { made.textContent = label; }, 1200);
  };
  const exact = (code) => code.textContent.replace(/\n$/, "");  // Markdown puts one line end behind every code
  const copy = async (code, made) => {
    try {
      await navigator.clipboard.writeText(exact(code));
    } catch {  // a page that is not served over https may not use the clipboard
      const area = document.createElement("textarea");
      area.value = exact(code);
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say(made, "Copied");
  };
  const download = (code) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([exact(code)], { type: "text/plain;charset=utf-8" }));
    link.download = "code.txt";
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const decorate = () => {
    for (const code of document.querySelectorAll(CODE)) {
      const block = code.closest("pre") || code.parentElement;
      const next = block.nextElementSibling;
      if (next && next.classList.contains("airoboros-longctx-code-buttons")) continue;
      const bar = document.createElement("div");
      bar.className = "airoboros-longctx-code-buttons";
      const mine = () => bar.previousElementSibling.querySelector("code") || bar.previousElementSibling;
      bar.append(
        button("Copy code", "Copy the code", (made) => copy(mine(), made)),
        button("Download code", "Download the code as a file", () => download(mine())),
      );
      block.after(bar);
    }
  };
  window.airoborosLongctxCode = new MutationObserver(decorate);
  window.airoborosLongctxCode.observe(document.body, { subtree: true, childList: true });
  decorate();
})();
