// Answers are Markdown. marked makes HTML of it, DOMPurify lets a fixed list of elements through, and both work again
// only on the block that has changed while an answer grows.

import { h, iconButton } from "../dom.js";
import { toast } from "../notices/toast.js";
import { t } from "../words.js";
import { copyText } from "./clipboard.js";
import { highlighted } from "./highlight.js";

const sanitizing = {
    ALLOWED_TAGS: [
        ["p", "br", "hr", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "del"],
        ["a", "table", "thead", "tbody", "tr", "th", "td", "sup", "sub", "kbd"],
    ].flat(),
    ALLOWED_ATTR: ["href", "title", "class", "start", "align"],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    // Nothing relative: a model must not send people around inside the page.
    ALLOWED_URI_REGEXP: /^(?:https?:\/\/|mailto:)/i,
    ADD_URI_SAFE_ATTR: ["align", "start"],
    RETURN_DOM_FRAGMENT: true,
};

const escaped = (text) =>
    text.replace(/[&<>"']/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[sign]);

let isPrepared = false;

function prepare() {
    if (isPrepared) return;
    isPrepared = true;
    // Debian 12's DOMPurify (2.4.1, deb12u1) reads this name, which it declares nowhere, and would throw: a depth for a
    // node that does not exist. The depth of each real node is still looked at.
    globalThis.shadowNode ??= Object.freeze({ __depth: 0 });
    marked.setOptions({ gfm: true, breaks: true, headerIds: false, mangle: false });
    marked.use({
        renderer: {
            // The page has its own two levels.
            heading: (text, level) => `<h${Math.min(level + 2, 6)}>${text}</h${Math.min(level + 2, 6)}>`,
            // Markup is shown, not obeyed; pictures of other servers are links, so that nobody learns who reads.
            html: (html) => escaped(html),
            image: (address, title, text) => `<a href="${escaped(address ?? "")}">${escaped(text || address || "")}</a>`,
            checkbox: (isChecked) => (isChecked ? "☑ " : "☐ "),
        },
    });
    DOMPurify.addHook("uponSanitizeAttribute", (node, data) => {
        const isLanguage = node.nodeName === "CODE" && /^language-[\w+#.-]{1,30}$/.test(data.attrValue);
        const isToken = node.nodeName === "SPAN" && /^hljs-[\w-]{1,30}$/.test(data.attrValue);
        if (data.attrName === "class" && !isLanguage && !isToken) data.keepAttr = false;
    });
}

/** An element that shows Markdown which may still be growing. */
export class MarkdownView {
    element = h("div", { class: "prose", dir: "auto" });
    #blocks = [];

    /** Shows `text`; while it is growing its last block may not be whole, so it waits for its colours. */
    show(text, { isGrowing = false } = {}) {
        prepare();
        const tokens = marked.lexer(text);
        const { links } = tokens;
        const count = tokens.length;
        let index = 0;
        while (index < count && this.#blocks[index]?.raw === tokens[index].raw && this.#blocks[index].isWhole) index += 1;
        for (const block of this.#blocks.splice(index)) block.element.remove();
        for (; index < count; index += 1) {
            const isWhole = !isGrowing || index < count - 1;
            const element = blockElement(Object.assign([tokens[index]], { links }), isWhole);
            this.#blocks.push({ raw: tokens[index].raw, element, isWhole });
            this.element.append(element);
        }
    }
}

function blockElement(tokens, isWhole) {
    const element = h("div", { class: "block" });
    if (tokens[0].type === "space") return element;
    element.append(DOMPurify.sanitize(marked.parser(tokens), sanitizing));
    for (const link of element.querySelectorAll("a")) {
        link.setAttribute("rel", "noopener noreferrer nofollow");
        link.setAttribute("target", "_blank");
    }
    for (const table of element.querySelectorAll("table")) {
        const region = h("div", { class: "wide", role: "region", tabindex: "0", "aria-label": t("answer.table") });
        table.replaceWith(region);
        region.append(table);
    }
    for (const code of element.querySelectorAll("pre > code")) decorate(code, isWhole);
    return element;
}

/** Gives code a head with its language and a button that copies it, and its colours. */
function decorate(code, isWhole) {
    const language = /language-(\S+)/.exec(code.className)?.[1] ?? "";
    const source = code.textContent.replace(/\n$/, "");
    const button = iconButton("copy", t("code.copy"), { small: true });
    button.addEventListener("click", async () => {
        if (await copyText(source)) toast(t("code.copied"));
    });
    const pre = code.parentElement;
    const figure = h(
        "figure",
        { class: "code" },
        h("figcaption", {}, h("span", {}, language || t("code.plain")), button),
    );
    pre.replaceWith(figure);
    pre.tabIndex = 0;
    pre.setAttribute("role", "region");
    pre.setAttribute("aria-label", t("code.label", { language: language || t("code.plain") }));
    figure.append(pre);
    if (isWhole && language) colour(code, source, language);
}

async function colour(code, source, language) {
    const html = await highlighted(source, language);
    if (html === null || !code.isConnected) return;
    code.replaceChildren(
        DOMPurify.sanitize(html, { ALLOWED_TAGS: ["span"], ALLOWED_ATTR: ["class"], RETURN_DOM_FRAGMENT: true }),
    );
}
