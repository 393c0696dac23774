// Colours for code. The library is large and its patterns may take long on odd input: it is loaded when the first code
// with a language appears, and works in a thread of its own, which is given up when it takes too long.

const path = "/scripts/chat/highlight-worker.js";
const codeCharactersMax = 50_000;
const patienceMilliseconds = 4000;

const policy = window.trustedTypes?.createPolicy("parley", {
    createScriptURL: (url) => {
        if (url !== path) throw new TypeError("not a script of this page");
        return url;
    },
});

let worker = null;
let count = 0;
const waiting = new Map();

/** HTML with the library's classes, to be sanitized; null when there are no colours for this code. */
export function highlighted(code, language) {
    if (code.length > codeCharactersMax) return Promise.resolve(null);
    worker ??= start();
    count += 1;
    const id = count;
    return new Promise((resolve) => {
        const timer = setTimeout(giveUp, patienceMilliseconds);
        waiting.set(id, (html) => {
            clearTimeout(timer);
            resolve(html);
        });
        worker.postMessage({ id, code, language });
    });
}

function start() {
    const started = new Worker(policy?.createScriptURL(path) ?? path, { type: "module" });
    started.addEventListener("message", ({ data }) => {
        waiting.get(data.id)?.(data.html);
        waiting.delete(data.id);
    });
    started.addEventListener("error", giveUp);
    return started;
}

function giveUp() {
    worker?.terminate();
    worker = null;
    for (const resolve of waiting.values()) resolve(null);
    waiting.clear();
}
