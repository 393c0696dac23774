// One answer, and the way between several answers to the same question.

import { fill, h, icon, iconButton } from "../dom.js";
import { toast } from "../notices/toast.js";
import { problemText, t, timeText } from "../words.js";
import { copyText } from "./clipboard.js";
import { MarkdownView } from "./markdown.js";

/** Text that grows is drawn this often at most. */
const drawMilliseconds = 60;

export class AnswerView {
    element = h("article", { class: "answer" });
    #body = new MarkdownView();
    #foot = h("div", { class: "answer-foot" });
    #text = null;
    #isGrowing = false;
    #timer = null;
    #signature = "";

    constructor() {
        this.element.append(this.#body.element, this.#foot);
    }

    /**
     * @param {object} message as in the contract
     * @param {object} place
     * @param {number} place.index which of `place.count` answers this is
     * @param {(step: number) => void} place.onStep
     * @param {(() => void) | null} place.onRegenerate null while that cannot be done
     * @param {() => void} onDrawn called when the height may have changed
     */
    show(message, place, onDrawn) {
        this.#draw(message.content, message.status === "processing", onDrawn);
        const signature = JSON.stringify([
            message.id,
            message.status,
            message.error,
            place.index,
            place.count,
            message.usage,
            Boolean(place.onRegenerate),
        ]);
        if (signature === this.#signature) return;
        this.#signature = signature;
        this.element.setAttribute("aria-label", t("answer.label", { time: timeText(message.timestamp) }));
        this.element.setAttribute("aria-busy", String(message.status === "processing"));
        this.element.dataset.status = message.status;
        this.element.dataset.message = message.id;
        fill(this.#foot, statusLine(message), message.status !== "processing" && this.#actions(message, place));
    }

    #draw(text, isGrowing, onDrawn) {
        if (text === this.#text && isGrowing === this.#isGrowing) return;
        this.#text = text;
        this.#isGrowing = isGrowing;
        if (!isGrowing) {
            clearTimeout(this.#timer);
            this.#timer = null;
            this.#body.show(text);
            onDrawn();
            return;
        }
        this.#timer ??= setTimeout(() => {
            this.#timer = null;
            this.#body.show(this.#text, { isGrowing: this.#isGrowing });
            onDrawn();
        }, drawMilliseconds);
    }

    #actions(message, { index, count, onStep, onRegenerate }) {
        const copy = iconButton("copy", t("answer.copy"), { small: true });
        copy.addEventListener("click", async () => {
            if (await copyText(message.content)) toast(t("answer.copied"));
        });
        const again = iconButton("retry", t("answer.regenerate"), { small: true });
        again.addEventListener("click", () => onRegenerate());
        return h(
            "div",
            { class: "actions" },
            message.content && copy,
            onRegenerate && again,
            count > 1 && stepper(index, count, onStep),
            h(
                "p",
                { class: "answer-origin" },
                h("time", { datetime: message.timestamp }, timeText(message.timestamp)),
                message.usage?.model && modelNote(message.usage),
            ),
        );
    }
}

/** Who answered; how much was read and written for it shows on hover. */
function modelNote({ model, prompt_tokens: read, completion_tokens: written, estimated }) {
    const title = t(estimated ? "answer.usageEstimated" : "answer.usage", { read, written });
    return h("span", { class: "answer-model", title }, model);
}

function statusLine({ status, error, content }) {
    if (status === "processing") {
        return content ? null : dots(t("progress.answering"));
    }
    if (status === "cancelled") return h("p", { class: "answer-note" }, t("answer.stopped"));
    if (status === "failed") {
        return h("p", { class: "notice notice-danger" }, icon("alert"), problemText(error ?? {}));
    }
    return null;
}

/** Three dots that breathe, with words for those who do not see them. */
export function dots(words) {
    return h(
        "p",
        { class: "dots" },
        h("span", { class: "dots-signs", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
        h("span", {}, words),
    );
}

function stepper(index, count, onStep) {
    const step = (name, label, by) => {
        const button = iconButton(name, label, { small: true, disabled: index + by < 0 || index + by >= count });
        button.addEventListener("click", () => onStep(by));
        return button;
    };
    return h(
        "div",
        { class: "stepper", role: "group", "aria-label": t("answer.versions") },
        step("left", t("answer.earlier"), -1),
        h("span", {}, `${index + 1} / ${count}`),
        step("right", t("answer.later"), 1),
    );
}
