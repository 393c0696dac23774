// The messages of a conversation on the screen: the newest page first, older ones as the reader scrolls to them.

import { h, iconButton } from "../dom.js";
import { t } from "../words.js";
import { Turn } from "./turn.js";

/** This near to the end the view stays at the end while text grows. */
const nearEnd = 80;
/** This near to the beginning older messages are loaded. */
const nearBeginning = 600;

export class Thread {
    #list = h("div", { class: "turns" });
    #older = h("div", { class: "older", hidden: true }, h("span", { class: "spinner", "aria-hidden": "true" }));
    #toEnd = iconButton("down", t("thread.toEnd"), { class: "to-end", hidden: true });
    #turns = [];
    #byQuestion = new Map();
    /** When each message was heard of last. */
    #toldAt = new Map();
    #isAtEnd = true;
    #loadOlder = null;
    #isLoading = false;
    #instead = null;
    #isLasting = false;
    #actions;

    constructor(actions) {
        this.#actions = { ...actions, onDrawn: () => this.#stay() };
        this.scroller = h(
            "div",
            { class: "thread", role: "log", "aria-live": "off", "aria-label": t("thread.label"), tabindex: "0" },
            this.#older,
            this.#list,
        );
        this.element = h("div", { class: "thread-frame" }, this.scroller, this.#toEnd);
        this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
        this.#toEnd.addEventListener("click", () => this.toEnd(true));
        new ResizeObserver(() => this.#stay()).observe(this.scroller);
    }

    get turns() {
        return this.#turns;
    }

    get isEmpty() {
        return this.#turns.length === 0;
    }

    /**
     * What is shown in the place of messages: a skeleton, a greeting, a problem. A question that is sent meanwhile
     * stands below it: turns leave the page only with `remove`. What is lasting stays though messages come.
     */
    showInstead(element, { isLasting = false } = {}) {
        this.#instead?.remove();
        this.#instead = element;
        this.#isLasting = isLasting;
        if (element) this.#list.prepend(element);
    }

    /** @param {(() => Promise<(() => Promise) | null>) | null} loadOlder loads a page; gives back the next way, or null */
    setOlder(loadOlder) {
        this.#loadOlder = loadOlder;
        this.#older.hidden = !loadOlder;
        this.#scrolled();
    }

    /**
     * Puts messages where they belong, whatever their order. `asOf` is when they were asked for (`performance.now()`):
     * an answer that was long on its way must not undo what an event has told since.
     */
    add(messages, { keepsPlace = false, asOf = Infinity } = {}) {
        if (!this.#isLasting) this.showInstead(null);
        const before = this.scroller.scrollHeight - this.scroller.scrollTop;
        for (const message of [...messages].sort((one, other) => one.id - other.id)) {
            if ((this.#toldAt.get(message.id) ?? 0) > asOf) continue;
            this.#toldAt.set(message.id, performance.now());
            this.#put(message);
        }
        if (keepsPlace) this.scroller.scrollTop = this.scroller.scrollHeight - before;
        else this.#stay();
    }

    /** A question of this tab that the service has not accepted yet. */
    addLocal(question, local) {
        if (!this.#isLasting) this.showInstead(null);
        const turn = new Turn(this.#actions);
        turn.question = question;
        turn.local = local;
        turn.update();
        this.#turns.push(turn);
        this.#list.append(turn.element);
        this.toEnd();
        return turn;
    }

    /**
     * The service has given a local question its id. Events may have been faster, and told all of it up to the answer:
     * what they told is kept.
     */
    adopt(turn, message) {
        const double = this.#byQuestion.get(message.id);
        const isDouble = double && double !== turn;
        if (isDouble) this.remove(double);
        this.#byQuestion.set(message.id, turn);
        this.#toldAt.set(message.id, performance.now());
        turn.setQuestion(isDouble && message.status === "processing" ? (double.question ?? message) : message);
        if (isDouble) for (const answer of double.answers) turn.setAnswer(answer);
        this.#sort(turn);
    }

    remove(turn) {
        turn.element.remove();
        this.#turns = this.#turns.filter((other) => other !== turn);
        for (const [id, other] of this.#byQuestion) if (other === turn) this.#byQuestion.delete(id);
    }

    /** The turn of a question or of an answer. */
    turnOf(messageID) {
        return this.#byQuestion.get(messageID) ?? this.#turns.find((turn) => turn.answer(messageID));
    }

    toEnd(isSmooth = false) {
        this.#isAtEnd = true;
        this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: isSmooth ? "smooth" : "instant" });
    }

    /** Brings a message into view and shows which it is. */
    reveal(messageID) {
        const element = this.turnOf(messageID)?.element;
        if (!element) return;
        this.#isAtEnd = false;
        element.scrollIntoView({ block: "center" });
        element.classList.add("turn-found");
        setTimeout(() => element.classList.remove("turn-found"), 3000);
    }

    #put(message) {
        const isQuestion = message.role === "user";
        const key = isQuestion ? message.id : (message.reply_to ?? message.id);
        let turn = this.#byQuestion.get(key);
        if (!turn) {
            turn = new Turn(this.#actions);
            this.#byQuestion.set(key, turn);
            this.#turns.push(turn);
        }
        if (isQuestion) turn.setQuestion(message);
        else turn.setAnswer(message);
        this.#sort(turn);
    }

    /** Pages come as a whole from either end, so the place is nearly always at one of the ends. */
    #sort(turn) {
        const place = this.#turns.indexOf(turn);
        const { position } = turn;
        const isPlaced = turn.element.parentElement === this.#list;
        const before = this.#turns[place - 1];
        const after = this.#turns[place + 1];
        if (isPlaced && (!before || before.position < position) && (!after || position < after.position)) return;
        this.#turns.splice(place, 1);
        let [low, high] = [0, this.#turns.length];
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.#turns[middle].position < position) low = middle + 1;
            else high = middle;
        }
        this.#turns.splice(low, 0, turn);
        this.#list.insertBefore(turn.element, this.#turns[low + 1]?.element ?? null);
    }

    #stay() {
        if (this.#isAtEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
        this.#showWay();
    }

    #scrolled() {
        const { scrollTop, scrollHeight, clientHeight } = this.scroller;
        this.#isAtEnd = scrollHeight - scrollTop - clientHeight < nearEnd;
        this.#showWay();
        if (scrollTop < nearBeginning) this.#loadMore();
    }

    #showWay() {
        const { scrollTop, scrollHeight, clientHeight } = this.scroller;
        this.#toEnd.hidden = this.#isAtEnd || scrollHeight - scrollTop - clientHeight < clientHeight / 2;
    }

    async #loadMore() {
        const load = this.#loadOlder;
        if (!load || this.#isLoading) return;
        this.#isLoading = true;
        const next = await load().catch(() => load);
        this.#isLoading = false;
        if (this.#loadOlder === load) {
            this.#loadOlder = next;
            this.#older.hidden = !next;
        }
    }
}
