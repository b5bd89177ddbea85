// While a check runs, ask for its progress once a second. Once per page, however often this script runs.
(() => {
  if (window.airoborosLongctxCheck) return;
  const look = () => {
    if (document.hidden || !document.querySelector('[data-airoboros-longctx-check="running"]')) return;
    const found = document.getElementById("airoboros-longctx-check-look");
    (found?.matches("button") ? found : found?.querySelector("button"))?.click();
  };
  window.airoborosLongctxCheck = setInterval(look, 1000);
})();
