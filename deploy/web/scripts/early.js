// Runs before the first paint, so that nobody sees the wrong theme or language for a moment.
(() => {
    const read = (key) => {
        try {
            return localStorage.getItem(key);
        } catch {
            return null;
        }
    };
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const theme = read("parley.theme");
    document.documentElement.dataset.theme = theme === "light" || theme === "dark" ? theme : dark ? "dark" : "light";
    const language = read("parley.language") ?? (navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en");
    document.documentElement.lang = language === "ru" ? "ru" : "en";
})();
