// Searching: titles at once, what was said in them a moment later.

import { fill, h, icon, settled } from "../dom.js";
import { chat } from "../network/request.js";
import { announce } from "../notices/announcer.js";
import { patiently } from "../notices/banner.js";
import { problemText, t, timeText } from "../words.js";
import { conversationOf, conversations, refreshed, titleOf } from "./store.js";

const typingMilliseconds = 250;
const hitsLimit = 20;
const titlesMax = 5;

/** The field and its results; `onActive` hears whether there is something to be searched for. */
export class Search {
    #input = h("input", { class: "search-input", type: "search", id: "search", maxlength: "200" });
    results = h("div", { class: "list results", hidden: true });
    #looking = null;
    #onActive;

    constructor(onActive) {
        this.#onActive = onActive;
        this.#input.autocomplete = "off";
        this.#input.placeholder = t("search.placeholder");
        this.element = h(
            "div",
            { class: "search", role: "search" },
            h("label", { class: "unseen", for: "search" }, t("search.label")),
            icon("search"),
            this.#input,
        );
        const look = settled(typingMilliseconds, () => this.#look());
        this.#input.addEventListener("input", () => {
            this.#show();
            look();
        });
        this.#input.addEventListener("keydown", (event) => {
            if (event.key === "Escape" && this.#input.value) {
                event.preventDefault();
                event.stopPropagation();
                this.clear();
            }
        });
    }

    clear() {
        this.#input.value = "";
        this.#show();
    }

    get #text() {
        return this.#input.value.trim();
    }

    #show() {
        const isActive = this.#text !== "";
        this.results.hidden = !isActive;
        this.#onActive(isActive);
        if (isActive) fill(this.results, this.#titles(), this.#waiting());
        else this.#looking?.abort();
    }

    #waiting() {
        return h("p", { class: "empty", role: "status" }, t("search.looking"));
    }

    #titles() {
        const words = this.#text.toLocaleLowerCase();
        const found = conversations().filter((one) => titleOf(one).toLocaleLowerCase().includes(words));
        if (found.length === 0) return null;
        return section(
            "search.titles",
            found.slice(0, titlesMax).map((one) => result(`/c/${one.conversation_id}`, titleOf(one))),
        );
    }

    async #look() {
        this.#looking?.abort();
        const query = this.#text;
        if (!query) return;
        this.#looking = new AbortController();
        const { signal } = this.#looking;
        try {
            const path = `/search?q=${encodeURIComponent(query)}&limit=${hitsLimit}`;
            const { hits } = await patiently(() => chat(path, { signal }), signal);
            const strangers = new Set(hits.map((hit) => hit.conversation_id).filter((id) => !conversationOf(id)));
            await Promise.all([...strangers].map(refreshed));
            if (signal.aborted) return;
            const titles = this.#titles();
            fill(this.results, titles, this.#hits(hits, titles));
            announce(t("search.found", { n: hits.length }));
        } catch (problem) {
            if (signal.aborted) return;
            // A service that cannot search: the titles are all there is.
            const text = problem.status === 404 ? t("search.nothing") : problemText(problem);
            const titles = this.#titles();
            fill(this.results, titles, (!titles || problem.status !== 404) && h("p", { class: "empty" }, text));
        }
    }

    #hits(hits, titles) {
        if (hits.length === 0) return titles ? null : h("p", { class: "empty" }, t("search.nothing"));
        return section(
            "search.messages",
            hits.map(({ conversation_id: id, message_id: message, snippet, matches, timestamp }) =>
                result(`/c/${id}?message=${message}`, titleOf(conversationOf(id) ?? { title: "" }), marked(snippet, matches), timestamp),
            ),
        );
    }
}

function section(key, items) {
    const id = key.replace(".", "-");
    return h(
        "section",
        { "aria-labelledby": id },
        h("h2", { id, class: "list-day" }, t(key)),
        h("ul", { class: "list-items" }, items),
    );
}

function result(path, title, snippet, time) {
    return h(
        "li",
        { class: "list-item" },
        h(
            "a",
            { href: path, "data-view": true, class: "list-link result" },
            h("span", { class: "result-title", dir: "auto" }, title),
            snippet && h("span", { class: "result-text", dir: "auto" }, snippet),
            time && h("time", { class: "result-time", datetime: time }, timeText(time)),
        ),
    );
}

/** The words that were found, where the service says that they stand (in UTF-16 code units, as strings here). */
function marked(snippet, matches = []) {
    let end = 0;
    const parts = matches.flatMap(({ offset, length }) => {
        const before = snippet.slice(end, offset);
        end = offset + length;
        return [before, h("mark", {}, snippet.slice(offset, end))];
    });
    return [...parts, snippet.slice(end)];
}
