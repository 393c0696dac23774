// A new password: every other session of the user ends with it.

import { auth } from "../network/request.js";
import { field, form } from "../notices/form.js";
import { toast } from "../notices/toast.js";
import { t } from "../words.js";
import { section } from "./account.js";

export function passwordSection() {
    const old = field({
        name: "old_password",
        label: t("form.oldPassword"),
        type: "password",
        autocomplete: "current-password",
    });
    const fresh = field({
        name: "new_password",
        label: t("form.newPassword"),
        type: "password",
        hint: t("form.passwordHint"),
        autocomplete: "new-password",
    });
    const { element } = form({
        fields: [old, fresh],
        submit: t("account.changePassword"),
        label: t("account.password"),
        isWide: false,
        fieldOfCode: {
            invalid_old_password: "old_password",
            weak_password: "new_password",
            same_password: "new_password",
        },
        onSubmit: async (body) => {
            await auth("/api/change-password", { method: "POST", body });
            element.reset();
            toast(t("account.passwordChanged"));
            dispatchEvent(new Event("parley-sessions"));
        },
    });
    return section("password", element);
}
