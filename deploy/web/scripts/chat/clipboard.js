// Copying. The Clipboard API needs a secure origin; on a plain address of the local network the older way remains.

import { h } from "../dom.js";

/** @returns {Promise<boolean>} whether the text is in the clipboard */
export async function copyText(text) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        return copySelected(text);
    }
}

function copySelected(text) {
    const focused = document.activeElement;
    const area = h("textarea", { class: "unseen", readonly: true, "aria-hidden": "true", value: text });
    document.body.append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return isDone;
}
