// Runs in both pages before anything is painted: the theme and the size of text that were
// chosen on this device, else the system's. The build puts it into the pages.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const kept = (name) => {
    try {
      return localStorage.getItem(`jirani.${name}`);
    } catch {
      return null;
    }
  };
  const draw = () => {
    const theme = kept("theme");
    const root = document.documentElement;
    root.classList.toggle("dark", theme === "dark" || (theme !== "light" && system.matches));
    root.dataset.text = kept("text") ?? "normal";
  };
  draw();
  system.addEventListener("change", draw);
  addEventListener("jirani-chosen", draw);
})();
