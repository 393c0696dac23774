// The end of the account.

import { h } from "../dom.js";
import { auth } from "../network/request.js";
import { dialog } from "../notices/dialog.js";
import { field } from "../notices/form.js";
import { toast } from "../notices/toast.js";
import { leave } from "../session/session.js";
import { problemText, t } from "../words.js";
import { section } from "./account.js";

export function deletionSection() {
    const button = h("button", { type: "button", class: "button button-danger" }, t("account.delete"));
    button.addEventListener("click", async () => {
        const password = field({
            name: "password",
            label: t("form.password"),
            type: "password",
            autocomplete: "current-password",
        });
        const isGone = await dialog({
            title: t("account.deleteTitle"),
            body: [h("p", {}, t("account.deleteNote")), password.element],
            confirm: t("account.delete"),
            isDangerous: true,
            onConfirm: () => auth("/api/account", { method: "DELETE", body: { password: password.input.value } }),
            onProblem: (problem) => {
                if (problem.code !== "invalid_password") return false;
                password.showError(problemText(problem));
                password.input.focus();
                return true;
            },
        });
        if (!isGone) return;
        leave();
        toast(t("account.deleted"));
    });
    return section("deletion", button);
}
