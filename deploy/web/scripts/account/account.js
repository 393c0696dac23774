// Everything that a user can change about the account and this browser.

import { h } from "../dom.js";
import { setLanguage, setTheme, theme } from "../preferences.js";
import { language, t } from "../words.js";
import { deletionSection } from "./deletion.js";
import { passwordSection } from "./password.js";
import { profileSection } from "./profile.js";
import { secondFactorSection } from "./second-factor.js";
import { sessionsSection } from "./sessions.js";

export class AccountView {
    id = null;
    conversation = null;

    #closing = new AbortController();

    constructor() {
        this.element = h(
            "div",
            { class: "account" },
            h(
                "div",
                { class: "account-column" },
                profileSection(),
                appearanceSection(),
                passwordSection(),
                secondFactorSection(),
                sessionsSection(this.#closing.signal),
                deletionSection(),
            ),
        );
    }

    close() {
        this.#closing.abort();
    }
}

/** A titled part of the page. */
export function section(name, ...content) {
    const id = `section-${name}`;
    return h(
        "section",
        { class: "panel", "aria-labelledby": id },
        h(
            "div",
            { class: "panel-head" },
            h("h2", { id }, t(`account.${name}`)),
            h("p", {}, t(`account.${name}Note`)),
        ),
        h("div", { class: "panel-body" }, content),
    );
}

function appearanceSection() {
    return section(
        "appearance",
        choice("theme", t("theme.label"), ["system", "light", "dark"], theme(), setTheme),
        choice("language", t("language.label"), ["en", "ru"], language(), async (name) => {
            await setLanguage(name);
            dispatchEvent(new Event("parley-redraw"));
        }),
    );
}

/** One of a few, as radio buttons in a row. */
function choice(name, label, values, chosen, onChange) {
    const options = values.map((value) =>
        h(
            "label",
            { class: "segment" },
            h("input", {
                type: "radio",
                name,
                value,
                checked: value === chosen,
                on: { change: () => onChange(value) },
            }),
            h("span", { lang: name === "language" ? value : null }, t(`${name}.${value}`)),
        ),
    );
    return h("fieldset", { class: "field" }, h("legend", {}, label), h("div", { class: "segments" }, options));
}
