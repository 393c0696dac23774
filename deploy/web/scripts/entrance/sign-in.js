// Signing in, with the second factor as a step of its own where the account has one.

import { fill, h } from "../dom.js";
import { auth } from "../network/request.js";
import { field, form } from "../notices/form.js";
import { begin } from "../session/session.js";
import { t } from "../words.js";
import { entrance, viewLink } from "./frame.js";

/** @param {{notice?: {text: string, kind?: string}}} options a sentence above the form: why somebody is here */
export function signInView({ notice } = {}) {
    const place = h("div", {});
    const view = entrance({
        title: t("signIn.title"),
        lead: t("signIn.lead"),
        notice,
        content: place,
        links: [t("signIn.new"), " ", viewLink("/register", t("signIn.register"))],
    });
    fill(place, passwordForm(place));
    return view;
}

function passwordForm(place) {
    const email = field({
        name: "email",
        label: t("form.email"),
        type: "email",
        autocomplete: "username",
        autocapitalize: "none",
        spellcheck: "false",
    });
    const password = field({
        name: "password",
        label: t("form.password"),
        type: "password",
        autocomplete: "current-password",
    });
    const { element } = form({
        fields: [email, password],
        submit: t("signIn.submit"),
        label: t("signIn.title"),
        after: [h("p", { class: "entrance-forgotten" }, viewLink("/forgotten", t("signIn.forgotten")))],
        onSubmit: async (values) => {
            try {
                begin(await auth("/login", { method: "POST", body: values, isOpen: true }));
            } catch (problem) {
                if (problem.code !== "totp_required") throw problem;
                const step = codeForm(values, () => fill(place, passwordForm(place)));
                fill(place, step);
                step.querySelector("input").focus();
            }
        },
    });
    return element;
}

function codeForm(credentials, onBack) {
    const code = field({
        name: "totp",
        label: t("secondFactor.code"),
        hint: t("secondFactor.codeHint"),
        autocomplete: "one-time-code",
        autocapitalize: "none",
        spellcheck: "false",
    });
    const back = h("button", { type: "button", class: "button-link", on: { click: onBack } }, t("secondFactor.back"));
    const { element } = form({
        fields: [code],
        submit: t("secondFactor.submit"),
        label: t("secondFactor.title"),
        fieldOfCode: { invalid_totp: "totp" },
        after: [back],
        onSubmit: async ({ totp }) => {
            const body = { ...credentials, totp: totp.trim() };
            begin(await auth("/login", { method: "POST", body, isOpen: true }));
        },
    });
    return element;
}
