// What a person has chosen for this browser: theme, language, domain. Storage may be forbidden: then it lasts a visit.

import { loadWords } from "./words.js";

const kept = new Map();

export function remember(key, value) {
    kept.set(key, value);
    try {
        localStorage.setItem(`parley.${key}`, value);
    } catch {
        // Kept in memory.
    }
}

export function recall(key) {
    try {
        return localStorage.getItem(`parley.${key}`) ?? kept.get(key) ?? null;
    } catch {
        return kept.get(key) ?? null;
    }
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/** "light", "dark", or "system": as the device has it, also when it changes. */
export const theme = () => recall("theme") ?? "system";

export function setTheme(name) {
    remember("theme", name);
    showTheme();
}

export async function setLanguage(name) {
    remember("language", name);
    await loadWords(name);
}

function showTheme() {
    const chosen = theme();
    document.documentElement.dataset.theme = chosen === "system" ? (prefersDark.matches ? "dark" : "light") : chosen;
    const ground = getComputedStyle(document.documentElement).getPropertyValue("--ground");
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", ground.trim());
}

prefersDark.addEventListener("change", showTheme);
showTheme();
