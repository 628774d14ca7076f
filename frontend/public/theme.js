// Before the first paint, so that no theme flashes. A file, not inline: the page allows no inline script.
(() => {
  const { dataset } = document.documentElement;
  const chosen = localStorage.getItem("foresync.theme") ?? "";
  const isChosen = ["light", "dark", "contrast-light", "contrast-dark"].includes(chosen);
  const isDark = isChosen ? chosen.endsWith("dark") : matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = isDark ? "dark" : "light";
  if ((isChosen && chosen.startsWith("contrast")) || matchMedia("(prefers-contrast: more)").matches) {
    dataset.contrast = "more";
  }
})();
