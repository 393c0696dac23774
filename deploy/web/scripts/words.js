// The page's two languages. A word is a string with {gaps}, or its plural forms by Intl.PluralRules.

const languages = ["en", "ru"];
let words = {};
let plural = new Intl.PluralRules("en");

/** The language shown. */
export const language = () => document.documentElement.lang;

/** Loads the words of a language; without one, of the document's. */
export async function loadWords(name = language()) {
    const known = languages.includes(name) ? name : "en";
    const [page, problems] = await Promise.all([import(`./words/${known}.js`), import(`./words/${known}-problems.js`)]);
    words = { ...page.words, ...problems.words };
    plural = new Intl.PluralRules(known);
    document.documentElement.lang = known;
}

/** The word of a key, its gaps filled; `n` chooses the plural form. */
export function t(key, values = {}) {
    const found = words[key] ?? key;
    const text = typeof found === "string" ? found : (found[plural.select(values.n)] ?? found.other);
    return text.replace(/\{(\w+)\}/g, (gap, name) => (name in values ? String(values[name]) : gap));
}

/** Whether there is a word for a key. */
export const hasWord = (key) => key in words;

/** What to tell people about a problem of a service: by its code, else in the service's own (English) sentence. */
export function problemText(problem) {
    const key = `problem.${problem.code}`;
    return hasWord(key) ? t(key) : (problem.detail ?? t("problem.internal_error"));
}

/** "14:05" for today, "3 May, 14:05" before, with the year if it is another one. */
export function timeText(iso) {
    const time = new Date(iso);
    const now = new Date();
    const clock = { hour: "2-digit", minute: "2-digit" };
    if (time.toDateString() === now.toDateString()) return time.toLocaleTimeString(language(), clock);
    const day = { day: "numeric", month: "short", ...clock };
    const form = time.getFullYear() === now.getFullYear() ? day : { ...day, year: "numeric" };
    return time.toLocaleString(language(), form);
}

/** "1.4 MB", "703 bytes" */
export function sizeText(bytes) {
    const units = ["byte", "kilobyte", "megabyte"];
    const power = bytes < 1000 ? 0 : bytes < 1_000_000 ? 1 : 2;
    return new Intl.NumberFormat(language(), {
        style: "unit",
        unit: units[power],
        unitDisplay: power === 0 ? "long" : "short",
        maximumFractionDigits: power === 2 ? 1 : 0,
    }).format(bytes / 1000 ** power);
}
