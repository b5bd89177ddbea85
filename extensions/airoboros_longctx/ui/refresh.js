// Press the hidden refresh button while the page is in view. Once per page, however often this script runs.
// Where the chat fills the window (v4.x) the panels are below the fold: a line under the message box says the same.
(() => {
  if (window.airoborosLongctxRefresh) return;
  const panel = () => document.querySelector("#airoboros-longctx-status-line [role=status]");
  const show = () => {
    panel()?.scrollIntoView({ behavior: "smooth", block: "center" });
    panel()?.querySelector("details")?.setAttribute("open", "");
  };
  const shorten = () => {
    const column = document.getElementById("chat-col"), status = panel();
    if (!column || !status) return;
    let short = document.getElementById("airoboros-longctx-short");
    if (!short) {
      short = document.createElement("button");
      short.id = "airoboros-longctx-short";
      short.type = "button";
      short.title = "What was done to this model, and why";
      short.addEventListener("click", show);
      column.append(short);
    }
    const parts = [status.querySelector("[aria-hidden]"), status.querySelector(".headline") || status];
    const text = parts.filter(Boolean).map((part) => part.textContent).join(" ");
    if (short.textContent !== text) short.textContent = text;
    short.className = status.className.replace("airoboros-longctx-status", "").trim();
  };
  const press = () => {
    if (document.hidden) return;
    const found = document.getElementById("airoboros-longctx-refresh");
    const button = found && (found.matches("button") ? found : found.querySelector("button"));
    if (button) button.click();
    shorten();
  };
  const line = document.getElementById("airoboros-longctx-status-line");
  if (line) new MutationObserver(shorten).observe(line, { subtree: true, childList: true });
  shorten();
  window.airoborosLongctxRefresh = setInterval(press, SECONDS * 1000);
  setTimeout(press, 500);
})();
