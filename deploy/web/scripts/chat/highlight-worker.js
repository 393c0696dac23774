// Runs in a worker: one piece of code in, HTML out.

import "/vendor/highlight.js";

self.addEventListener("message", ({ data: { id, code, language } }) => {
    let html = null;
    try {
        if (self.hljs.getLanguage(language)) html = self.hljs.highlight(language, code, true).value;
    } catch {
        // Shown without colours.
    }
    self.postMessage({ id, html });
});
