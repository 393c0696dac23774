// The conversations in the sidebar, under the days on which they were last active.

import { fill, h, iconButton } from "../dom.js";
import { patiently } from "../notices/banner.js";
import { attachMenu } from "../notices/menu.js";
import { problemText, t } from "../words.js";
import { conversationItems } from "./actions.js";
import { conversationOf, conversations, hasMore, loadMore, onConversations, titleOf } from "./store.js";

const dayMilliseconds = 86_400_000;

export class ConversationList {
    element = h("div", { class: "list" });
    #items = new Map();
    #current = null;
    #isLoading = false;
    #problem = null;
    #sentinel = h("div", { class: "list-end", "aria-hidden": "true" });
    #signal;

    constructor(signal) {
        this.#signal = signal;
        onConversations(() => this.#show(), signal);
        const observer = new IntersectionObserver(([entry]) => entry.isIntersecting && this.load(), {
            root: this.element,
            rootMargin: "200px",
        });
        observer.observe(this.#sentinel);
        signal.addEventListener("abort", () => observer.disconnect(), { once: true });
        this.#show();
    }

    /** Marks the conversation that is open. */
    setCurrent(id) {
        this.#current = id;
        this.#show();
    }

    async load() {
        if (this.#isLoading || !hasMore()) return;
        this.#isLoading = true;
        this.#problem = null;
        try {
            await patiently(() => loadMore(), this.#signal);
        } catch (problem) {
            this.#problem = problem;
        }
        this.#isLoading = false;
        this.#show();
    }

    #show() {
        const focused = document.activeElement;
        const all = conversations();
        const groups = Map.groupBy
            ? Map.groupBy(all, dayGroup)
            : all.reduce((map, one) => map.set(dayGroup(one), [...(map.get(dayGroup(one)) ?? []), one]), new Map());
        const parts = [...groups].map(([name, members]) => this.#group(name, members));
        if (parts.length === 0) parts.push(this.#instead());
        if (this.#problem && all.length > 0) parts.push(this.#instead());
        fill(this.element, parts, this.#sentinel);
        if (focused !== document.activeElement && this.element.contains(focused)) focused.focus();
    }

    #group(name, members) {
        const heading = `group-${name}`;
        return h(
            "section",
            { "aria-labelledby": heading },
            h("h2", { id: heading, class: "list-day" }, t(`list.${name}`)),
            h("ul", { class: "list-items" }, members.map((member) => this.#item(member))),
        );
    }

    #item(conversation) {
        const id = conversation.conversation_id;
        const title = titleOf(conversation);
        const isCurrent = id === this.#current;
        const signature = `${title}/${isCurrent}`;
        const known = this.#items.get(id);
        if (known?.signature === signature) return known.element;
        const link = h(
            "a",
            { href: `/c/${id}`, "data-view": true, class: "list-link", "aria-current": isCurrent ? "page" : null },
            h("span", { dir: "auto" }, title),
        );
        const more = iconButton("more", t("conversation.menu", { title }), { small: true });
        attachMenu(more, () => conversationItems(conversationOf(id) ?? conversation));
        const element = h("li", { class: "list-item" }, link, more);
        this.#items.set(id, { signature, element });
        return element;
    }

    #instead() {
        if (this.#problem) {
            const again = h("button", { type: "button", class: "button-link" }, t("banner.try"));
            again.addEventListener("click", () => this.load());
            return h("div", { class: "empty", role: "alert" }, h("p", {}, problemText(this.#problem)), again);
        }
        if (hasMore()) {
            const bones = ["wide", "half", "full", "wide", "half"];
            return h(
                "div",
                { class: "list-bones", role: "status", "aria-label": t("list.loading") },
                bones.map((width) => h("span", { class: ["bone", `bone-${width}`] })),
            );
        }
        return h("p", { class: "empty" }, t("list.empty"));
    }
}

function dayGroup({ updated_at: time }) {
    const today = new Date().setHours(0, 0, 0, 0);
    const moment = Date.parse(time);
    if (moment >= today) return "today";
    if (moment >= today - dayMilliseconds) return "yesterday";
    if (moment >= today - 7 * dayMilliseconds) return "week";
    if (moment >= today - 30 * dayMilliseconds) return "month";
    return "older";
}
