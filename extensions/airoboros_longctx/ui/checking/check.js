// While a check runs, ask for its progress once a second; from a page in the background now and then, which tells the
// server that the page is still there. Once per page, however often this script runs.
(() => {
  if (window.airoborosLongctxCheck) return;
  const BACKGROUND_MS = 20000;
  let looked = 0;
  const look = () => {
    if (document.hidden && Date.now() - looked < BACKGROUND_MS) return;
    if (!document.querySelector('[data-airoboros-longctx-check="running"]')) return;
    const found = document.getElementById("airoboros-longctx-check-look");
    (found?.matches("button") ? found : found?.querySelector("button"))?.click();
    looked = Date.now();
  };
  window.airoborosLongctxCheck = setInterval(look, 1000);
})();
