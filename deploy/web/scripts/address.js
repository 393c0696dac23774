// Which view is shown, as the address says it.

const changes = new EventTarget();

const views = [
    ["chat", /^\/$/],
    ["chat", /^\/c\/(?<id>[0-9]+)$/],
    ["account", /^\/account$/],
    ["sign-in", /^\/sign-in$/],
    ["register", /^\/register$/],
    ["forgotten", /^\/forgotten$/],
];

/** What a letter's link carries, in the fragment: that is sent to no server. */
const letterPattern = /^#(?<name>password-reset|confirm-email)=(?<token>[\w.~-]+)$/;
let letter = openedLetter();

/** Takes the token out of the address, where it would stay in the history. */
function openedLetter() {
    const found = letterPattern.exec(location.hash)?.groups ?? null;
    if (found) history.replaceState(null, "", "/");
    return found;
}

/** The view of the address with its values: `{ name, id?, token?, query }`. */
export function currentView() {
    if (letter) return { ...letter, query: new URLSearchParams() };
    const { pathname, search } = location;
    for (const [name, pattern] of views) {
        const match = pattern.exec(pathname);
        if (match) return { name, ...match.groups, query: new URLSearchParams(search) };
    }
    return { name: "chat", query: new URLSearchParams() };
}

export function onAddress(listener) {
    changes.addEventListener("change", listener);
}

/** Shows another view. `isReplaced`: the way back skips this one. */
export function go(path, { isReplaced = false } = {}) {
    if (path === location.pathname + location.search && !letter) return;
    letter = null;
    history[isReplaced ? "replaceState" : "pushState"](null, "", path);
    changes.dispatchEvent(new Event("change"));
}

/** Changes the address of what is shown already. */
export function rewrite(path) {
    history.replaceState(null, "", path);
}

addEventListener("popstate", () => {
    letter = openedLetter();
    changes.dispatchEvent(new Event("change"));
});

// Links inside the page change the view; those with a modifier or a target stay links.
document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-view]");
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain) return;
    event.preventDefault();
    go(link.pathname + link.search);
});
