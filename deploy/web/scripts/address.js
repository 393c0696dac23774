// Which view is shown, as the address says it.

const changes = new EventTarget();

const views = [
    ["chat", /^\/$/],
    ["chat", /^\/c\/(?<id>[0-9]+)$/],
    ["account", /^\/account$/],
    ["sign-in", /^\/sign-in$/],
    ["register", /^\/register$/],
    ["forgotten", /^\/forgotten$/],
    ["password-reset", /^\/password-reset$/],
    ["confirm-email", /^\/confirm-email$/],
];

/** The view of the address with its values: `{ name, id?, query }`. */
export function currentView() {
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
    if (path === location.pathname + location.search) return;
    history[isReplaced ? "replaceState" : "pushState"](null, "", path);
    changes.dispatchEvent(new Event("change"));
}

/** Changes the address of what is shown already. */
export function rewrite(path) {
    history.replaceState(null, "", path);
}

addEventListener("popstate", () => changes.dispatchEvent(new Event("change")));

// Links inside the page change the view; those with a modifier or a target stay links.
document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-view]");
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain) return;
    event.preventDefault();
    go(link.pathname + link.search);
});
