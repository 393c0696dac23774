// A question with what became of it and its answers: the unit of a conversation on the screen.

import { fill, h } from "../dom.js";
import { AnswerView } from "./answer.js";
import { drawQuestion, questionStatus } from "./question.js";

export class Turn {
    element = h("section", { class: "turn" });
    /** The message of the question; null while it is on a page not loaded yet. */
    question = null;
    /** What only this tab knows, before the question is accepted; see `localStatus`. */
    local = null;
    #answers = new Map();
    #chosen = null;
    #isUnfolded = false;
    #questionElement = h("article", { class: "question" });
    #statusElement = h("div", { class: "turn-status" });
    #answerView = null;
    #signatures = {};
    #actions;

    /** @param {object} actions `cancel(turn)`, `retry(turn)`, `edit(turn)`, `regenerate(turn, answer)`, `onDrawn()` */
    constructor(actions) {
        this.#actions = actions;
        this.element.append(this.#statusElement);
    }

    /** Where it stands among the others: by the time and id of the question. */
    get position() {
        const { timestamp, id } = this.question ?? this.answers[0];
        // Before the service gave a time, a question is the last.
        return `${id ? timestamp : "9"}/${String(id ?? 0).padStart(20, "0")}`;
    }

    /** Oldest first. */
    get answers() {
        return [...this.#answers.values()].sort((one, other) => one.id - other.id);
    }

    /** Whether something is being made here. */
    get isProcessing() {
        return this.question?.status === "processing" || this.answers.some(({ status }) => status === "processing");
    }

    /** Whether an answer is being written; before that, files are read. */
    get isWriting() {
        const { status, progress } = this.question ?? {};
        const isAnswering = status === "processing" && progress?.stage === "answering";
        return isAnswering || this.answers.some((answer) => answer.status === "processing");
    }

    /** The message to cancel: the question while it is worked on, else a new answer to it. */
    get processingID() {
        if (this.question?.status === "processing") return this.question.id;
        return this.answers.find(({ status }) => status === "processing")?.id;
    }

    setQuestion(message) {
        this.question = message;
        this.local = null;
        if (message.status === "failed" || message.status === "cancelled") this.#endDrafts(message.status);
        this.update();
    }

    /** What was growing without a row of its own: what was stopped is kept by the service, what failed is not. */
    #endDrafts(status) {
        for (const [id, answer] of this.#answers) {
            if (!answer.isDraft || answer.status !== "processing") continue;
            if (status === "cancelled" && answer.content) this.#answers.set(id, { ...answer, status });
            else this.#answers.delete(id);
        }
    }

    setAnswer(message) {
        if (!this.#answers.has(message.id)) this.#chosen = null;
        const known = this.#answers.get(message.id);
        // Deltas may be ahead of the row.
        const content =
            message.status === "processing" && (known?.content.length ?? 0) > message.content.length
                ? known.content
                : message.content;
        this.#answers.set(message.id, { ...message, content });
        this.update();
    }

    /** The text of an answer so far; the answer may have no row yet. */
    setGrowing(answerID, text) {
        const known = this.#answers.get(answerID);
        if (known && known.status !== "processing") return;
        if (!known) this.#chosen = null;
        this.#answers.set(answerID, {
            ...(known ?? draft(answerID, this.question)),
            content: text,
        });
        this.update();
    }

    answer(id) {
        return this.#answers.get(id);
    }

    update() {
        this.#updateQuestion();
        this.#updateAnswer();
    }

    #updateQuestion() {
        if (!this.question) return;
        if (!this.#questionElement.isConnected) this.element.prepend(this.#questionElement);
        const { question, local } = this;
        const { id, content, status, files, error, progress } = question;
        const shown = [id, content, status === "processing", files, local?.files?.length, this.#isUnfolded];
        if (this.#hasChanged("question", shown)) {
            drawQuestion(this.#questionElement, question, local, {
                isUnfolded: this.#isUnfolded,
                onFold: () => {
                    this.#isUnfolded = !this.#isUnfolded;
                    this.update();
                },
                onEdit: () => this.#actions.edit(this),
            });
        }
        const isAnswered = this.#answers.size > 0;
        const localState = local && [local.stage, Math.floor((local.share ?? 0) * 100), local.seconds];
        if (!this.#hasChanged("status", [status, error, progress, localState, isAnswered])) return;
        const line = questionStatus(question, local, {
            onCancel: () => this.#actions.cancel(this),
            onRetry: () => this.#actions.retry(this),
            isAnswered,
        });
        fill(this.#statusElement, line);
    }

    #updateAnswer() {
        const { answers } = this;
        if (answers.length === 0) {
            this.#answerView?.element.remove();
            this.#answerView = null;
            return;
        }
        if (!this.#answerView) {
            this.#answerView = new AnswerView();
            this.#statusElement.before(this.#answerView.element);
        }
        const last = answers.length - 1;
        const index = this.#chosen === null ? last : answers.findIndex(({ id }) => id === this.#chosen);
        const answer = answers[index < 0 ? last : index];
        const place = {
            index: index < 0 ? last : index,
            count: answers.length,
            onStep: (by) => {
                this.#chosen = answers[index + by].id;
                this.update();
            },
            onRegenerate: this.isProcessing ? null : () => this.#actions.regenerate(this, answer),
        };
        this.#answerView.show(answer, place, this.#actions.onDrawn);
    }

    #hasChanged(part, values) {
        const signature = JSON.stringify(values);
        if (this.#signatures[part] === signature) return false;
        this.#signatures[part] = signature;
        return true;
    }
}

/** An answer that is told piece by piece before it is a row. */
function draft(id, question) {
    return {
        id,
        role: "assistant",
        content: "",
        timestamp: new Date().toISOString(),
        status: "processing",
        reply_to: question?.id ?? null,
        files: [],
        error: null,
        isDraft: true,
    };
}
