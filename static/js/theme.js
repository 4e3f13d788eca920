// Runs before the first paint: a page never flashes in the wrong theme.
"use strict";
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("mpc-theme");
  } catch {
    // Storage may be switched off; the system's theme is then the only choice.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
