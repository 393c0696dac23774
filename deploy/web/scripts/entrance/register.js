// A new account.

import { auth } from "../network/request.js";
import { field, form } from "../notices/form.js";
import { begin } from "../session/session.js";
import { t } from "../words.js";
import { entrance, viewLink } from "./frame.js";

export function registerView() {
    const fields = [
        field({ name: "name", label: t("form.name"), autocomplete: "name", maxlength: "255" }),
        field({
            name: "email",
            label: t("form.email"),
            type: "email",
            autocomplete: "username",
            autocapitalize: "none",
            spellcheck: "false",
        }),
        field({
            name: "password",
            label: t("form.password"),
            type: "password",
            hint: t("form.passwordHint"),
            autocomplete: "new-password",
        }),
    ];
    const { element } = form({
        fields,
        submit: t("register.submit"),
        label: t("register.title"),
        fieldOfCode: {
            email_taken: "email",
            invalid_email: "email",
            weak_password: "password",
            invalid_name: "name",
        },
        onSubmit: async (body) => begin(await auth("/register", { method: "POST", body, isOpen: true })),
    });
    return entrance({
        title: t("register.title"),
        lead: t("register.lead"),
        content: element,
        links: [t("register.known"), " ", viewLink("/sign-in", t("register.signIn"))],
    });
}
