// Before the first paint, so that no theme flashes. A file, not inline: the page allows no inline script.
(() => {
  let theme = localStorage.getItem("foresync.theme");
  if (theme !== "light" && theme !== "dark") {
    theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.dataset.theme = theme;
})();
