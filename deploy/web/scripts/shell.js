// The frame around conversations and account: the sidebar, which is a drawer on narrow screens, and the main place.

import { currentView, go } from "./address.js";
import { AccountView } from "./account/account.js";
import { ConversationView } from "./chat/conversation.js";
import { conversationItems } from "./conversations/actions.js";
import { ConversationList } from "./conversations/list.js";
import { Search } from "./conversations/search.js";
import { conversationOf, onConversations, refreshed, titleOf } from "./conversations/store.js";
import { fill, h, icon, iconButton } from "./dom.js";
import { mark } from "./mark.js";
import { announce } from "./notices/announcer.js";
import { attachMenu } from "./notices/menu.js";
import { currentUser, onSession, signOut } from "./session/session.js";
import { t } from "./words.js";

const narrow = matchMedia("(width < 56rem)");

export class Shell {
    #closing = new AbortController();
    #list = new ConversationList(this.#closing.signal);
    #search = new Search((isActive) => {
        this.#list.element.hidden = isActive;
    });
    #main = h("main", { class: "main", id: "main", tabindex: "-1" });
    #title = h("h1", { class: "head-title", dir: "auto" });
    #headMenu = iconButton("more", t("conversation.actions"));
    #view = null;
    #drawerButton = iconButton("menu", t("sidebar.open"), { class: "only-narrow" });

    constructor() {
        const close = iconButton("close", t("sidebar.close"), { class: "only-narrow" });
        close.addEventListener("click", () => this.#setDrawer(false));
        this.#drawerButton.addEventListener("click", () => this.#setDrawer(true));
        this.#drawerButton.setAttribute("aria-controls", "sidebar");
        this.sidebar = h(
            "nav",
            { class: "sidebar", id: "sidebar", "aria-label": t("sidebar.label") },
            h("div", { class: "sidebar-head" }, homeLink("brand", mark(), "Parley"), close),
            homeLink("button button-quiet new-chat", icon("compose"), t("sidebar.new")),
            this.#search.element,
            this.#search.results,
            this.#list.element,
            this.#user(),
        );
        const shade = h("div", { class: "shade", on: { click: () => this.#setDrawer(false) } });
        this.element = h(
            "div",
            { class: "shell" },
            this.#skipLink(),
            this.sidebar,
            shade,
            this.#main,
        );
        attachMenu(this.#headMenu, () => conversationItems(this.#view.conversation));
        this.#listen();
        this.#setDrawer(false);
        this.#list.load();
    }

    close() {
        this.#view?.close();
        this.#closing.abort();
    }

    /** Shows what the address says. */
    show() {
        const { name, id, query } = currentView();
        const message = Number(query.get("message")) || null;
        const wanted = id ? Number(id) : null;
        this.#setDrawer(false);
        this.#view?.close();
        if (name === "account") this.#showAccount();
        else this.#showConversation(wanted, message);
    }

    #showAccount() {
        this.#view = new AccountView();
        fill(this.#main, this.#head(t("account.title"), false), this.#view.element);
        document.title = `${t("account.title")} · Parley`;
        this.#list.setCurrent(null);
        this.#main.focus();
    }

    #showConversation(id, message) {
        const view = new ConversationView(id, {
            onCreated: () => {
                this.#list.setCurrent(view.id);
                this.#showTitle();
            },
        });
        this.#view = view;
        fill(this.#main, this.#head("", true), view.element);
        this.#list.setCurrent(id);
        this.#showTitle();
        if (id !== null && !conversationOf(id)) refreshed(id);
        view.open(message);
    }

    #head(title, hasMenu) {
        this.#title.textContent = title;
        this.#title.classList.remove("head-title-unknown");
        this.#headMenu.hidden = !hasMenu;
        return h("header", { class: "head" }, this.#drawerButton, this.#title, this.#headMenu);
    }

    #showTitle() {
        if (!(this.#view instanceof ConversationView)) return;
        const { conversation } = this.#view;
        this.#headMenu.hidden = !conversation;
        const unknown = t(this.#view.id === null ? "sidebar.new" : "conversation.unknown");
        this.#title.textContent = conversation ? titleOf(conversation) : unknown;
        this.#title.classList.toggle("head-title-unknown", !conversation && this.#view.id !== null);
        document.title = `${this.#title.textContent} · Parley`;
    }

    #user() {
        const name = h("span", { class: "user-name", dir: "auto" });
        const sign = h("span", { class: "user-sign", "aria-hidden": "true" });
        const button = h("button", { type: "button", class: "user" }, sign, name, icon("more"));
        const show = () => {
            const user = currentUser();
            name.textContent = user?.name ?? "";
            sign.textContent = [...(user?.name ?? "")][0]?.toLocaleUpperCase() ?? "";
            button.setAttribute("aria-label", t("user.menu", { name: user?.name ?? "" }));
        };
        onSession(show, this.#closing.signal);
        show();
        attachMenu(button, () => [
            { icon: "gear", label: t("user.account"), href: "/account", isView: true },
            { icon: "code", label: t("user.docs"), href: "/docs" },
            null,
            { icon: "leave", label: t("user.signOut"), onChoose: signOut },
        ]);
        return h("div", { class: "sidebar-foot" }, button);
    }

    #listen() {
        const { signal } = this.#closing;
        onConversations((goneID) => {
            if (goneID && this.#view?.id === goneID) {
                go("/", { isReplaced: true });
                announce(t("conversation.deleted"));
            }
            this.#showTitle();
        }, signal);
        narrow.addEventListener("change", () => this.#setDrawer(false), { signal });
        this.sidebar.addEventListener("keydown", (event) => {
            if (event.key === "Escape" && narrow.matches) this.#setDrawer(false);
        });
        addEventListener("keydown", (event) => this.#shortcut(event), { signal });
    }

    /** Ctrl+K searches, as elsewhere. */
    #shortcut(event) {
        if (event.key !== "k" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        this.#setDrawer(true);
        document.getElementById("search").focus();
    }

    /** On narrow screens one of the two is out of reach, for the keyboard and screen readers too. */
    #setDrawer(isOpen) {
        const isDrawer = narrow.matches;
        const wasOpen = this.element.classList.contains("shell-open");
        this.element.classList.toggle("shell-open", isOpen && isDrawer);
        this.sidebar.inert = isDrawer && !isOpen;
        this.#main.inert = isDrawer && isOpen;
        this.#drawerButton.setAttribute("aria-expanded", String(isOpen && isDrawer));
        if (isDrawer && isOpen) this.sidebar.querySelector("a, button").focus();
        if (isDrawer && wasOpen && !isOpen) this.#drawerButton.focus();
    }

    #skipLink() {
        const link = h("a", { class: "skip-link", href: "#main" }, t("sidebar.skip"));
        link.addEventListener("click", (event) => {
            event.preventDefault();
            this.#main.focus();
        });
        return link;
    }
}

const homeLink = (className, ...content) => h("a", { href: "/", "data-view": true, class: className }, content);
