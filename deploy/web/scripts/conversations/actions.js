// Renaming and deleting, from the list and from the head of a conversation.

import { h } from "../dom.js";
import { dialog } from "../notices/dialog.js";
import { field } from "../notices/form.js";
import { toast } from "../notices/toast.js";
import { problemText, t } from "../words.js";
import { remove, titleOf, update } from "./store.js";

/** What a menu of a conversation offers. */
export function conversationItems(conversation) {
    return [
        { icon: "edit", label: t("conversation.rename"), onChoose: () => rename(conversation) },
        { icon: "trash", label: t("conversation.delete"), isDangerous: true, onChoose: () => confirmDelete(conversation) },
    ];
}

async function rename(conversation) {
    const title = field({
        name: "title",
        label: t("conversation.title"),
        value: titleOf(conversation),
        maxlength: "100",
        autocomplete: "off",
    });
    const context = field({
        name: "business_context",
        label: t("conversation.context"),
        hint: t("conversation.contextHint"),
        type: "textarea",
        value: conversation.business_context ?? "",
        maxlength: "10000",
        isRequired: false,
    });
    const opened = dialog({
        title: t("conversation.rename"),
        body: [title.element, context.element],
        confirm: t("dialog.save"),
        onConfirm: async () => {
            await update(conversation.conversation_id, {
                title: title.input.value,
                business_context: context.input.value || null,
            });
        },
        onProblem: (problem) => {
            const about = { invalid_title: title, invalid_business_context: context }[problem.code];
            about?.showError(problemText(problem));
            about?.input.focus();
            return Boolean(about);
        },
    });
    title.input.select();
    if (await opened) toast(t("conversation.saved"));
}

async function confirmDelete(conversation) {
    const isDone = await dialog({
        title: t("conversation.deleteTitle"),
        body: [h("p", {}, t("conversation.deleteNote", { title: titleOf(conversation) }))],
        confirm: t("conversation.delete"),
        isDangerous: true,
        onConfirm: () => remove(conversation.conversation_id),
    });
    if (isDone) toast(t("conversation.deleted"));
}
