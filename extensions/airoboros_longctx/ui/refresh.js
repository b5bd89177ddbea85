// Press the hidden refresh button while the page is in view. Once per page, however often this script runs.
(() => {
  if (window.airoborosLongctxRefresh) return;
  const press = () => {
    if (document.hidden) return;
    const found = document.getElementById("airoboros-longctx-refresh");
    const button = found && (found.matches("button") ? found : found.querySelector("button"));
    if (button) button.click();
  };
  window.airoborosLongctxRefresh = setInterval(press, SECONDS * 1000);
  setTimeout(press, 500);
})();
