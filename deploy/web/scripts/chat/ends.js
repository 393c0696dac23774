// What is read out when the work on a question is over: once for each end, however many ways tell of it.

import { announce } from "../notices/announcer.js";
import { problemText, t } from "../words.js";

const charactersRead = 400;

export class Ends {
    /** Turns that were worked on when they were looked at last. */
    #awaited = new Set();
    /**
     * What was told of a question, by its id. An event that comes late makes it look worked on once more, and then ended
     * once more.
     */
    #told = new Map();
    #onTold;

    constructor(onTold) {
        this.#onTold = onTold;
    }

    /** Tells of those whose work was going on at an earlier look, and is not any more. */
    look(turns) {
        for (const turn of turns) {
            if (turn.isProcessing) this.#awaited.add(turn);
            else if (this.#awaited.has(turn)) this.tell(turn);
        }
    }

    /** The work on a turn is asked for anew: its next end may be like the one before. */
    forget(turn) {
        this.#told.delete(questionID(turn));
    }

    /** Tells how the work on a turn has ended. */
    tell(turn) {
        const text = endText(turn);
        // The answer is still to come.
        if (!text) return;
        this.#awaited.delete(turn);
        if (this.#told.get(questionID(turn)) === text) return;
        this.#told.set(questionID(turn), text);
        announce(text);
        this.#onTold();
    }
}

const questionID = ({ question, answers }) => question?.id ?? answers[0]?.reply_to;

function endText({ question, answers }) {
    const answer = answers.at(-1);
    if (answer?.status === "completed") return t("announce.answer", { text: answer.content.slice(0, charactersRead) });
    if (!answer && question?.status === "completed") return null;
    // A question that was answered before knows nothing of what befell a newer answer.
    return problemText(answer?.error ?? question?.error ?? { code: "cancelled" });
}
