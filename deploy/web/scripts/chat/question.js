// A question as it stands in the conversation: files, text, and what becomes of it.

import { fill, h, icon, iconButton } from "../dom.js";
import { toast } from "../notices/toast.js";
import { problemText, t, timeText } from "../words.js";
import { dots } from "./answer.js";
import { copyText } from "./clipboard.js";
import { chosenFile, fileCard } from "./file-card.js";

/** Recognised text is long: more than this is folded. */
const charactersShown = 700;
const linesShown = 12;

/**
 * Draws the bubble of a question into `element`.
 *
 * @param {object} question
 * @param {object | null} local what this tab knows beyond the message
 * @param {{isUnfolded: boolean, onFold: () => void, onEdit: () => void}} actions what can be done with it
 */
export function drawQuestion(element, question, local, actions) {
    const isReading = question.status === "processing";
    element.setAttribute("aria-label", t("question.label", { time: timeText(question.timestamp) }));
    if (question.id) element.dataset.message = question.id;
    const files = local?.files
        ? local.files.map((file) => chosenFile(file, {}))
        : question.files.map((file) => fileCard(file, { isReading }));
    fill(
        element,
        files.length > 0 && h("ul", { class: "files", "aria-label": t("question.files") }, files),
        question.content && bubble(question, actions),
    );
}

function bubble({ id, content: text, files }, { isUnfolded, onFold, onEdit }) {
    const isLong = text.length > charactersShown || text.split("\n", linesShown + 1).length > linesShown;
    const isFolded = isLong && !isUnfolded;
    return h(
        "div",
        { class: "bubble" },
        h("p", { class: ["bubble-text", isFolded && "bubble-folded"], dir: "auto" }, text),
        isLong &&
            h(
                "button",
                {
                    type: "button",
                    class: "button-link bubble-more",
                    "aria-expanded": String(!isFolded),
                    on: { click: onFold },
                },
                t(isFolded ? "question.unfold" : "question.fold"),
            ),
        // What was read in files is no question of the asker's to be changed.
        id && h("div", { class: "question-actions" }, files.length === 0 && editButton(onEdit), copyButton(text)),
    );
}

/** A changed question is a new one: its text goes back to where questions are written. */
function editButton(onEdit) {
    return iconButton("edit", t("question.edit"), { small: true, on: { click: onEdit } });
}

function copyButton(text) {
    const button = iconButton("copy", t("question.copy"), { small: true });
    button.addEventListener("click", async () => {
        if (await copyText(text)) toast(t("answer.copied"));
    });
    return button;
}

/**
 * What becomes of a question that has no answer yet.
 *
 * @param {object} question
 * @param {object | null} local what this tab knows beyond the message: sending, its share, its problem
 * @param {{onCancel: () => void, onRetry: () => void, isAnswered: boolean}} actions
 */
export function questionStatus(question, local, { onCancel, onRetry, isAnswered }) {
    if (local) return localStatus(local);
    if (question.status === "processing") return isAnswered ? null : progressLine(question, onCancel);
    // What had come of a stopped answer says so itself, and can be made anew.
    if (question.status === "completed" || (question.status === "cancelled" && isAnswered)) return null;
    const isCancelled = question.status === "cancelled";
    const retry = question.error?.retryable !== false && againButton(t("question.retry"), onRetry);
    const line = failureLine(isCancelled ? "stop" : "alert", problemText(question.error ?? { code: "cancelled" }), retry);
    line.classList.toggle("failure-mild", isCancelled);
    return line;
}

function failureLine(picture, text, ...buttons) {
    return h(
        "div",
        { class: "failure" },
        h("p", {}, icon(picture), h("span", {}, text)),
        buttons.some(Boolean) && h("div", { class: "failure-buttons" }, buttons),
    );
}

function againButton(words, onClick) {
    const attributes = { type: "button", class: "button button-quiet button-small", on: { click: onClick } };
    return h("button", attributes, icon("retry"), words);
}

/** What was refused for what it is will be refused again. */
const mayHelpAgain = ({ isOffline, isOverload, status }) => isOffline || isOverload || status >= 500;

function progressLine({ progress, files }, onCancel) {
    const stage = progress?.stage ?? "queued";
    // The pages of a file are known when it is opened; of all files only when the last one is.
    const open = files.find(({ pages_done: done, pages_total: total }) => total && done < total);
    const { pages_done: done = 0, pages_total: total } = (progress?.pages_total ? progress : open) ?? {};
    const isReading = stage === "recognizing" || (stage === "queued" && files.length > 0);
    const words =
        stage === "recognizing" && total
            ? t("progress.page", { page: Math.min(done + 1, total), n: total })
            : t(`progress.${stage}`);
    if (!isReading) return dots(words);
    // Each file has its own bar.
    return workLine(words, null, onCancel, t("progress.cancel"));
}

function workLine(words, share, onCancel, cancelLabel) {
    return h(
        "div",
        { class: "work" },
        h(
            "p",
            { class: "work-words" },
            h("span", { class: "spinner", "aria-hidden": "true" }),
            h("span", {}, words),
            onCancel && h("button", { type: "button", class: "button-link", on: { click: onCancel } }, cancelLabel),
        ),
        share !== null && h("progress", { class: "bar", max: 1, value: share, "aria-label": words }),
    );
}

function localStatus({ stage, share, seconds, problem, onCancel, onAgain, onDrop }) {
    if (stage === "uploading") {
        const percent = Math.floor((share ?? 0) * 100);
        return workLine(t("progress.uploading", { percent }), share ?? 0, onCancel, t("progress.cancel"));
    }
    if (stage === "waiting") return workLine(t("progress.waiting", { n: seconds }), null, onAgain, t("banner.try"));
    if (stage === "offline") return workLine(t("progress.offline"), null, onCancel, t("progress.cancel"));
    if (stage === "refused") {
        const drop = h("button", { type: "button", class: "button-link", on: { click: onDrop } }, t("question.drop"));
        const again = mayHelpAgain(problem) && againButton(t("question.send"), onAgain);
        return failureLine("alert", problemText(problem), again, drop);
    }
    return dots(t("progress.sending"));
}
