// Searching: titles at once, what was said in them a moment later.

import { fill, h, icon, settled } from "../dom.js";
import { chat } from "../network/request.js";
import { announce } from "../notices/announcer.js";
import { patiently } from "../notices/banner.js";
import { toast } from "../notices/toast.js";
import { problemText, t, timeText } from "../words.js";
import { conversationOf, conversations, loadRest, refreshed, titleOf } from "./store.js";

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
        const rest = this.#loadTitles(signal);
        try {
            const page = await this.#page(query, null, signal);
            if (signal.aborted) return;
            const titles = this.#titles();
            const messages = this.#hits(page, titles);
            fill(this.results, titles, messages);
            if (page.next) this.#addMore(query, page.next, messages.querySelector("ul"), signal);
            announce(t("search.found", { n: page.hits.length }));
            await rest;
            if (!signal.aborted) this.#renewTitles(titles, messages);
        } catch (problem) {
            await rest;
            if (signal.aborted) return;
            // A service that cannot search: the titles are all there is.
            const text = problem.status === 404 ? t("search.nothing") : problemText(problem);
            const titles = this.#titles();
            fill(this.results, titles, (!titles || problem.status !== 404) && h("p", { class: "empty" }, text));
        }
    }

    /** The titles that were not listed yet. Without them what was said is found all the same. */
    async #loadTitles(signal) {
        await patiently(loadRest, signal).catch(() => {});
    }

    /** With those that were loaded meanwhile; the rest keeps its place and the focus. */
    #renewTitles(titles, messages) {
        const whole = this.#titles();
        if (!whole) return;
        if (titles) titles.replaceWith(whole);
        else if (messages.matches(".empty")) messages.replaceWith(whole);
        else messages.before(whole);
    }

    /** What was said, a page of it, with the conversations in which it was. */
    async #page(query, cursor, signal) {
        const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
        const path = `/search?q=${encodeURIComponent(query)}&limit=${hitsLimit}${after}`;
        const { hits, next_cursor: next } = await patiently(() => chat(path, { signal }), signal);
        const strangers = new Set(hits.map((hit) => hit.conversation_id).filter((id) => !conversationOf(id)));
        await Promise.all([...strangers].map(refreshed));
        return { hits, next };
    }

    #hits({ hits }, titles) {
        if (hits.length === 0) return titles ? null : h("p", { class: "empty" }, t("search.nothing"));
        return section("search.messages", hits.map(hitItem));
    }

    /** Below the results, the way to those that follow in the list. */
    #addMore(query, cursor, list, signal) {
        const more = h("button", { type: "button", class: "button-link search-more" }, t("search.more"));
        more.addEventListener("click", async () => {
            more.disabled = true;
            try {
                const page = await this.#page(query, cursor, signal);
                if (signal.aborted) return;
                const items = page.hits.map(hitItem);
                list.append(...items);
                more.remove();
                items[0]?.querySelector("a").focus();
                if (page.next) this.#addMore(query, page.next, list, signal);
            } catch (problem) {
                if (signal.aborted) return;
                more.disabled = false;
                toast(problemText(problem));
            }
        });
        this.results.append(more);
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

function hitItem({ conversation_id: id, message_id: message, snippet, matches, timestamp }) {
    const title = titleOf(conversationOf(id) ?? { title: "" });
    return result(`/c/${id}?message=${message}`, title, marked(snippet, matches), timestamp);
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
