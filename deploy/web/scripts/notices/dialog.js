// Modal dialogs. The element brings the focus trap, Escape and the way back of the focus with it.

import { freshID, h } from "../dom.js";
import { problemText, t } from "../words.js";

/**
 * Opens a dialog with a form.
 *
 * @param {object} content
 * @param {string} content.title
 * @param {Node[]} content.body
 * @param {string} content.confirm the word of the button that goes on
 * @param {boolean} [content.isDangerous]
 * @param {() => Promise<void>} content.onConfirm the dialog stays open and shows the problem when it throws
 * @param {(problem) => boolean} [content.onProblem] true: the problem is shown beside a field
 * @returns {Promise<boolean>} whether it was confirmed
 */
export function dialog({ title, body, confirm, isDangerous = false, onConfirm, onProblem = () => false }) {
    const heading = freshID("dialog");
    const confirmButton = h("button", { class: ["button", isDangerous && "button-danger"], type: "submit" }, confirm);
    const cancelButton = h("button", { class: "button button-quiet", type: "button" }, t("dialog.cancel"));
    const failure = h("p", { class: "notice notice-danger", role: "alert", hidden: true });
    const form = h(
        "form",
        { class: "form", novalidate: true },
        h("h2", { id: heading }, title),
        body,
        failure,
        h("div", { class: "dialog-buttons" }, cancelButton, confirmButton),
    );
    const element = h("dialog", { class: "dialog", "aria-labelledby": heading }, form);
    let isConfirmed = false;
    cancelButton.addEventListener("click", () => element.close());
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        // Not `disabled`, which would take the focus away from the button that was pressed.
        if (confirmButton.getAttribute("aria-disabled") === "true") return;
        confirmButton.setAttribute("aria-disabled", "true");
        failure.hidden = true;
        try {
            await onConfirm();
            isConfirmed = true;
            element.close();
        } catch (problem) {
            if (!onProblem(problem)) {
                failure.textContent = problemText(problem);
                failure.hidden = false;
            }
        } finally {
            confirmButton.setAttribute("aria-disabled", "false");
        }
    });
    // A press on the shade closes; one that began inside and ended there, as in selecting text, does not.
    element.addEventListener("pointerdown", (event) => event.target === element && element.close());
    document.body.append(element);
    element.showModal();
    return new Promise((resolve) => {
        element.addEventListener("close", () => {
            element.remove();
            resolve(isConfirmed);
        });
    });
}
