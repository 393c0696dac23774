// What surrounds every form before somebody is signed in.

import { h, icon } from "../dom.js";
import { setLanguage, setTheme } from "../preferences.js";
import { language, t } from "../words.js";
import { mark } from "../mark.js";

/** The view of one entrance form: heading, a sentence, the form, and links to the others. */
export function entrance({ title, lead, notice, content, links = [] }) {
    document.title = `${title} · Parley`;
    return h(
        "div",
        { class: "entrance" },
        h(
            "aside",
            { class: "entrance-side" },
            h("p", { class: "entrance-brand" }, mark(), "Parley"),
            h(
                "div",
                { class: "entrance-claim" },
                h("p", { class: "entrance-line" }, t("entrance.line")),
                h(
                    "ul",
                    { class: "entrance-points" },
                    ["file", "shield", "search"].map((picture, index) =>
                        h("li", {}, icon(picture), h("span", {}, t(`entrance.point${index + 1}`))),
                    ),
                ),
            ),
        ),
        h(
            "div",
            { class: "entrance-main" },
            h("div", { class: "entrance-tools" }, languageButton(), themeButton()),
            h(
                "main",
                { class: "entrance-card", id: "main", tabindex: "-1" },
                h("p", { class: "entrance-brand entrance-brand-small" }, mark(), "Parley"),
                h("h1", {}, title),
                lead && h("p", { class: "entrance-lead" }, lead),
                notice && h("p", { class: ["notice", `notice-${notice.kind ?? "good"}`], role: "status" }, notice.text),
                content,
                links.length > 0 && h("p", { class: "entrance-links" }, links),
            ),
        ),
    );
}

/** A link to another view of the page. */
export const viewLink = (path, text) => h("a", { href: path, "data-view": true }, text);

function languageButton() {
    const other = language() === "ru" ? "en" : "ru";
    const names = { en: "English", ru: "Русский" };
    return h(
        "button",
        {
            class: "button button-quiet button-small",
            type: "button",
            lang: other,
            on: { click: () => setLanguage(other).then(() => dispatchEvent(new Event("parley-redraw"))) },
        },
        names[other],
    );
}

function themeButton() {
    const other = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    const label = t(`theme.to.${other}`);
    return h(
        "button",
        {
            class: "icon-button",
            type: "button",
            title: label,
            "aria-label": label,
            on: {
                click: (event) => {
                    setTheme(other);
                    event.currentTarget.replaceWith(themeButton());
                },
            },
        },
        icon(other === "dark" ? "moon" : "sun"),
    );
}
