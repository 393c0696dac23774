// Name and e-mail address.

import { auth } from "../network/request.js";
import { field, form } from "../notices/form.js";
import { toast } from "../notices/toast.js";
import { currentUser, rename } from "../session/session.js";
import { t } from "../words.js";
import { section } from "./account.js";

export function profileSection() {
    const user = currentUser();
    const name = field({
        name: "name",
        label: t("form.name"),
        value: user.name,
        autocomplete: "name",
        maxlength: "255",
    });
    const email = field({
        name: "email",
        label: t("form.email"),
        value: user.email,
        readonly: true,
        isRequired: false,
    });
    const { element } = form({
        fields: [name, email],
        submit: t("dialog.save"),
        label: t("account.profile"),
        isWide: false,
        fieldOfCode: { invalid_name: "name" },
        onSubmit: async (values) => {
            const profile = await auth("/api/profile", { method: "PATCH", body: { name: values.name } });
            rename(profile.name);
            name.input.value = profile.name;
            toast(t("account.saved"));
        },
    });
    return section("profile", element);
}
