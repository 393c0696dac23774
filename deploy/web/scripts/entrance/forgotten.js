// A forgotten password: asking for the letter, and the new password that its link leads to. Also the link that confirms
// an e-mail address.

import { fill, h } from "../dom.js";
import { go } from "../address.js";
import { auth } from "../network/request.js";
import { field, form } from "../notices/form.js";
import { toast } from "../notices/toast.js";
import { problemText, t } from "../words.js";
import { entrance, viewLink } from "./frame.js";

const signInLink = () => [viewLink("/sign-in", t("forgotten.back"))];

export function forgottenView() {
    const email = field({
        name: "email",
        label: t("form.email"),
        type: "email",
        autocomplete: "username",
        autocapitalize: "none",
        spellcheck: "false",
    });
    const place = h("div", {});
    const { element } = form({
        fields: [email],
        submit: t("forgotten.submit"),
        label: t("forgotten.title"),
        onSubmit: async (body) => {
            let note = h("p", { class: "notice notice-good", role: "status" }, t("forgotten.sent", body));
            try {
                await auth("/password-reset", { method: "POST", body, isOpen: true });
            } catch (problem) {
                if (problem.status !== 404) throw problem;
                note = h("p", { class: "notice notice-warning", role: "status" }, t("forgotten.noMail"));
            }
            fill(place, note);
        },
    });
    fill(place, element);
    return entrance({
        title: t("forgotten.title"),
        lead: t("forgotten.lead"),
        content: place,
        links: signInLink(),
    });
}

/** @param {string} token what the link of the letter carries */
export function resetView(token) {
    const password = field({
        name: "password",
        label: t("form.newPassword"),
        type: "password",
        hint: t("form.passwordHint"),
        autocomplete: "new-password",
    });
    const { element } = form({
        fields: [password],
        submit: t("reset.submit"),
        label: t("reset.title"),
        fieldOfCode: { weak_password: "password", same_password: "password" },
        onSubmit: async ({ password }) => {
            const body = { token, new_password: password };
            await auth("/password-reset/confirm", { method: "POST", body, isOpen: true });
            go("/sign-in", { isReplaced: true });
            toast(t("reset.done"));
        },
    });
    return entrance({ title: t("reset.title"), content: element, links: signInLink() });
}

/** @param {string} token what the link of the letter carries */
export function confirmEmailView(token) {
    const place = h("div", { role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }));
    auth("/confirm-email", { method: "POST", body: { token }, isOpen: true }).then(
        () => fill(place, h("p", { class: "notice notice-good" }, t("confirmEmail.done"))),
        (problem) => fill(place, h("p", { class: "notice notice-danger" }, problemText(problem))),
    );
    return entrance({ title: t("confirmEmail.title"), content: place, links: [viewLink("/", t("confirmEmail.on"))] });
}
