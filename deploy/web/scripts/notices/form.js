// Forms: labelled fields, problems beside the field that they are about, a button that shows that work goes on.

import { fill, freshID, h, icon } from "../dom.js";
import { problemText, t } from "../words.js";
import { countdown } from "./countdown.js";

/**
 * A field with its label.
 *
 * @param {{name: string, label: string, type?: string, hint?: string, isRequired?: boolean, rows?: number}} options
 *     and attributes of the input
 */
export function field({ name, label, type = "text", hint, isRequired = true, ...attributes }) {
    const id = freshID(name);
    const error = h("p", { class: "field-error", id: `${id}-error`, hidden: true });
    const input = h(type === "textarea" ? "textarea" : "input", {
        class: "input",
        id,
        name,
        type: type === "textarea" ? null : type,
        required: isRequired,
        "aria-describedby": [hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" "),
        ...attributes,
    });
    input.addEventListener("input", () => showError(null));
    const hintElement = hint && h("p", { class: "field-hint", id: `${id}-hint` }, hint);
    const control = type === "password" ? withReveal(input) : input;
    const element = h("div", { class: "field" }, h("label", { for: id }, label), control, hintElement, error);

    function showError(text) {
        error.textContent = text ?? "";
        error.hidden = !text;
        if (text) input.setAttribute("aria-invalid", "true");
        else input.removeAttribute("aria-invalid");
    }
    return { name, element, input, showError };
}

/** A password that can be looked at: fewer mistakes, no second field. */
function withReveal(input) {
    const button = h("button", { type: "button", class: "icon-button" });
    const show = (isShown) => {
        input.type = isShown ? "text" : "password";
        const label = t(isShown ? "form.hidePassword" : "form.showPassword");
        button.title = label;
        button.setAttribute("aria-label", label);
        fill(button, icon(isShown ? "eye-off" : "eye"));
    };
    button.addEventListener("click", () => show(input.type === "password"));
    show(false);
    return h("div", { class: "password" }, input, button);
}

/**
 * A form of fields.
 *
 * @param {object} options
 * @param {ReturnType<typeof field>[]} options.fields
 * @param {string} options.submit
 * @param {(values: Record<string, string>) => Promise<void>} options.onSubmit throws problems
 * @param {Record<string, string>} [options.fieldOfCode] the field that a problem's code is about
 * @param {Node[]} [options.after]
 */
export function form({ fields, submit, onSubmit, fieldOfCode = {}, after = [], isWide = true, label }) {
    const failure = h("p", { class: "notice notice-danger", role: "alert", hidden: true });
    const button = h("button", { class: ["button", isWide && "button-wide"], type: "submit" }, submit);
    const rows = fields.map(({ element }) => element);
    const element = h("form", { class: "form", novalidate: true, "aria-label": label }, failure, rows, button, after);

    element.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (button.getAttribute("aria-disabled") === "true" || !isComplete(fields)) return;
        failure.hidden = true;
        setBusy(true);
        try {
            await onSubmit(Object.fromEntries(fields.map(({ name, input }) => [name, input.value])));
            setBusy(false);
        } catch (problem) {
            setBusy(false);
            show(problem);
        }
    });

    // Not "disabled": a button that loses the focus takes the keyboard's place with it.
    function setBusy(isBusy) {
        button.setAttribute("aria-disabled", String(isBusy));
        fill(button, isBusy && h("span", { class: "spinner", "aria-hidden": "true" }), submit);
    }

    function show(problem) {
        const name = fieldOfCode[problem.code] ?? problem.errors[0]?.field;
        const found = fields.find((entry) => entry.name === name);
        if (found) {
            found.showError(problemText(problem));
            found.input.focus();
            return;
        }
        fill(failure, icon("alert"), h("span", {}, problemText(problem)));
        failure.hidden = false;
        if (problem.retryAfter) wait(problem.retryAfter);
    }

    async function wait(seconds) {
        button.setAttribute("aria-disabled", "true");
        await countdown(seconds, (left) => fill(button, t("form.wait", { n: left }))).done;
        setBusy(false);
    }

    return { element, showFailure: show };
}

/** Says of each field what it lacks; the first of those gets the focus. */
function isComplete(fields) {
    const wrong = fields.filter(({ input, showError }) => {
        const lack = lackOf(input);
        if (lack) showError(t(lack));
        return lack;
    });
    wrong[0]?.input.focus();
    return wrong.length === 0;
}

function lackOf(input) {
    if (input.required && input.value.trim() === "") return "form.required";
    if (input.type === "email" && !input.validity.valid) return "problem.invalid_email";
    return null;
}
