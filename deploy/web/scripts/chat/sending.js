// The way of a question from the composer to the service: sent again while the service asks to wait or the network is
// away, under one key, until it is accepted or refused.

import { reached } from "../network/connection.js";
import { chat, idempotencyKey } from "../network/request.js";
import { announce } from "../notices/announcer.js";
import { countdown } from "../notices/countdown.js";
import { currentUser, onSession } from "../session/session.js";
import { problemText } from "../words.js";
import { ask, askWithFiles } from "./ask.js";

const attemptsMax = 8;
/** What the service does not have yet, whether the view is still there or was left. */
const unsent = new Set();

// It would be gone with the page: the browser asks first.
addEventListener("beforeunload", (event) => unsent.size > 0 && event.preventDefault());

// It goes with the one who asked it, and is never sent in the name of another.
onSession((event, detail) => {
    for (const sending of [...unsent]) {
        const isOver = event === "ended" ? !detail.isLost : sending.userID !== currentUser().id;
        if (isOver) sending.discard();
    }
});

/** A question of this tab: its turn on the screen, and what it takes to send it. */
export class Sending {
    #turn;
    #view;
    #question;
    #stopping = new AbortController();
    /** Why it was refused. */
    #problem = null;
    #isDiscarded = false;
    userID = currentUser().id;

    /**
     * @param {{text: string, files: File[], domain: string | null}} question
     * @param {object} view where it was asked
     * @param {Thread} view.thread
     * @param {AbortSignal} view.signal the view is left; the question is sent all the same
     * @param {() => Promise<number>} view.conversationID
     * @param {(sending: Sending) => void} view.run runs it, at the first time and when it is to be sent again
     * @param {() => Promise<void>} view.poll has the service asked how things stand
     * @param {() => void} view.onAccepted
     * @param {(question) => void} view.takeBack to where it was written
     * @param {(question, problem) => void} view.giveUp it was refused, and there is no view to say so
     */
    constructor(question, view) {
        this.#question = { ...question, key: idempotencyKey() };
        this.#view = view;
        this.#turn = view.thread.addLocal(
            {
                id: null,
                role: "user",
                content: question.text,
                timestamp: new Date().toISOString(),
                status: "processing",
                files: [],
                error: null,
                progress: null,
            },
            {
                stage: question.files.length > 0 ? "uploading" : "sending",
                files: question.files,
                onCancel: () => this.#stopping.abort(),
            },
        );
        unsent.add(this);
        view.signal.addEventListener("abort", () => this.#problem && this.#giveUp(), { once: true });
    }

    get turn() {
        return this.#turn;
    }

    /** Resolves when the question is answered, refused, or in the hands of the service. */
    async run() {
        this.#problem = null;
        for (let attempt = 1; ; attempt += 1) {
            try {
                return await this.#attempt();
            } catch (problem) {
                if (this.#isDiscarded) return;
                // The service has it: the answer to the attempt before was lost.
                if (isRunning(problem) && problem.body.user_message_id) this.#onAccepted(problem.body);
                if (this.#turn.question.id) return this.#afterAccepted();
                if (problem.code === "aborted" || problem.name === "AbortError") return this.#drop();
                const mayTry = attempt < attemptsMax && (problem.isOverload || problem.isOffline || isRunning(problem));
                if (!mayTry || !(await this.#wait(problem, attempt))) return this.#refuse(problem);
            }
        }
    }

    async #attempt() {
        const conversationID = await this.#view.conversationID();
        this.#stopping.signal.throwIfAborted();
        const question = { ...this.#question, conversationID };
        if (question.files.length > 0) {
            this.#local({ stage: "uploading", share: 0 });
            const onProgress = (share) => this.#local({ share });
            const { message_id: id } = await askWithFiles(question, onProgress, this.#stopping.signal);
            this.#adopt(await this.#accepted(id));
            this.#view.poll();
            return;
        }
        this.#local({ stage: "sending" });
        const body = await ask(question, { onAccepted: (ids) => this.#onAccepted(ids), onText: this.#onText });
        this.#answered(body);
    }

    /** Forgets it, on the way as it is. */
    discard() {
        this.#isDiscarded = true;
        unsent.delete(this);
        this.#stopping.abort();
    }

    /** The message as the service has it; as this tab knows it when it cannot be asked. */
    async #accepted(id) {
        return chat(`/messages/${id}`).catch(() => ({ ...this.#turn.question, id }));
    }

    #onAccepted({ user_message_id: id }) {
        const progress = { stage: "answering", pages_done: 0, pages_total: null, attempt: 1 };
        this.#adopt({ ...this.#turn.question, id, progress });
        this.#view.onAccepted();
    }

    #adopt(message) {
        unsent.delete(this);
        this.#view.thread.adopt(this.#turn, message);
    }

    #onText = (answerID, text) => this.#turn.setGrowing(answerID, text);

    #answered({ response, message_id: id, user_message_id: questionID, usage }) {
        const known = { ...this.#turn.question, id: questionID };
        this.#adopt({ ...known, status: "completed", progress: null, error: null });
        this.#turn.setAnswer({
            id,
            role: "assistant",
            content: response,
            timestamp: new Date().toISOString(),
            status: "completed",
            reply_to: questionID,
            files: [],
            progress: null,
            error: null,
            usage,
        });
    }

    /** The stream told of a failure, was stopped, or broke off: the service knows how it ended or will end. */
    async #afterAccepted() {
        await this.#view.poll();
    }

    async #wait(problem, attempt) {
        if (problem.isOffline) {
            this.#local({ stage: "offline" });
            await reached(this.#stopping.signal);
            return !this.#stopping.signal.aborted;
        }
        const count = countdown(
            problem.retryAfter ?? Math.min(2 ** attempt, 30),
            (seconds) => this.#local({ stage: "waiting", seconds, onAgain: () => count?.skip() }),
            this.#stopping.signal,
        );
        return count.done;
    }

    #refuse(problem) {
        if (this.#isDiscarded) return;
        if (this.#stopping.signal.aborted) return this.#drop();
        this.#problem = problem;
        if (this.#view.signal.aborted) return this.#giveUp();
        this.#local({
            stage: "refused",
            problem,
            onAgain: () => this.#view.run(this),
            onDrop: () => this.#drop(),
        });
        announce(problemText(problem));
    }

    /** Takes the question back to where it was written. */
    #drop() {
        this.#problem = null;
        unsent.delete(this);
        this.#view.thread.remove(this.#turn);
        this.#view.takeBack(this.#question);
    }

    #giveUp() {
        if (this.#isDiscarded) return;
        unsent.delete(this);
        this.#view.giveUp(this.#question, this.#problem);
    }

    #local(change) {
        if (this.#turn.question.id) return;
        this.#turn.local = { ...this.#turn.local, ...change };
        this.#turn.update();
    }
}

/** The same question is being answered already, by a first attempt whose answer was lost. */
const isRunning = (problem) => problem.code === "idempotency_in_progress";
