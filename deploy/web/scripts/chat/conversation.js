// One conversation on the screen: its history, what happens in it, and the place to write.

import { rewrite } from "../address.js";
import { forget, conversationOf, create, put, refreshed } from "../conversations/store.js";
import { h } from "../dom.js";
import { chat } from "../network/request.js";
import { patiently } from "../notices/banner.js";
import { toast } from "../notices/toast.js";
import { currentUser } from "../session/session.js";
import { problemText, t } from "../words.js";
import { acceptDrops } from "./attachments.js";
import { Composer } from "./composer.js";
import { withDelta } from "./deltas.js";
import { keepDraft, onReturned, returnToDraft } from "./drafts.js";
import { Ends } from "./ends.js";
import { greeting, historyProblem, isGone, skeleton } from "./instead.js";
import { follow } from "./live.js";
import { Sending } from "./sending.js";
import { Thread } from "./thread.js";

const pageLimit = 50;
/** A message that was searched for is looked for in pages of this size. */
const searchPageLimit = 200;

export class ConversationView {
    #id;
    #creation = null;
    #closing = new AbortController();
    #live = null;
    #ends = new Ends(() => this.#id !== null && refreshed(this.#id));
    #thread;
    #composer;
    #onCreated;

    /**
     * @param {number | null} id null: a conversation that begins with its first question
     * @param {{onCreated: () => void}} listeners
     */
    constructor(id, { onCreated }) {
        this.#id = id;
        this.#onCreated = onCreated;
        this.#thread = new Thread({
            cancel: (turn) => this.#act(turn.processingID, "cancel"),
            retry: (turn) => this.#act(turn.question.id, "retry"),
            edit: (turn) => this.#composer.takeBack(turn.question.content),
            regenerate: (turn, answer) => this.#act(answer.id, "regenerate"),
        });
        this.#composer = new Composer({
            conversationID: () => this.#id,
            onSend: (question) => this.#send(question),
            onStop: () => this.#stop(),
        });
        this.element = h(
            "div",
            { class: "conversation" },
            this.#thread.element,
            h(
                "div",
                { class: "composer-frame" },
                this.#composer.element,
                h("p", { class: "composer-note" }, t("composer.note")),
            ),
        );
        acceptDrops(this.element, (files) => this.#composer.addFiles(files));
        onReturned((returnedTo) => returnedTo === this.#id && this.#composer.showDraft(), this.#closing.signal);
    }

    get id() {
        return this.#id;
    }

    /** Once the element is on the page. @param {number | null} messageID the message to show */
    async open(messageID = null) {
        this.#composer.grow();
        if (!matchMedia("(pointer: coarse)").matches) this.#composer.focus();
        if (this.#id === null) {
            this.#thread.showInstead(greeting((text) => this.#composer.suggest(text)));
            return;
        }
        await this.#load(messageID);
    }

    close() {
        this.#closing.abort();
    }

    async #load(messageID) {
        this.#thread.showInstead(skeleton());
        const { signal } = this.#closing;
        let page;
        try {
            page = await patiently(() => this.#page(null, pageLimit), signal);
        } catch (problem) {
            if (signal.aborted) return;
            this.#thread.showInstead(historyProblem(problem, () => this.#load(messageID)), { isLasting: true });
            // What is asked all the same has its end.
            if (!isGone(problem)) this.#follow();
            return;
        }
        if (signal.aborted) return;
        this.#thread.showInstead(null);
        this.#thread.add(page.messages);
        this.#thread.toEnd();
        if (this.#thread.isEmpty) this.#thread.showInstead(greeting((text) => this.#composer.suggest(text)));
        this.#follow();
        this.#showState();
        await this.#find(messageID, page.next_cursor);
    }

    #page(cursor, limit) {
        const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
        const path = `/conversations/${this.#id}/messages?order=desc&limit=${limit}${after}`;
        return chat(path, { signal: this.#closing.signal });
    }

    /** The way to the messages before `cursor`, for the thread to go when the reader comes near. */
    #older(cursor) {
        if (!cursor) return null;
        return async () => {
            const page = await patiently(() => this.#page(cursor, pageLimit), this.#closing.signal);
            this.#thread.add(page.messages, { keepsPlace: true });
            return this.#older(page.next_cursor);
        };
    }

    /** Loads as many pages as it takes to show a message; those that are there stay when one cannot be loaded. */
    async #find(messageID, cursor) {
        const { signal } = this.#closing;
        let next = cursor;
        try {
            while (messageID && next && !this.#thread.turnOf(messageID)) {
                const page = await patiently(() => this.#page(next, searchPageLimit), signal);
                this.#thread.add(page.messages, { keepsPlace: true });
                next = page.next_cursor;
            }
        } catch (problem) {
            if (signal.aborted) return;
            toast(problemText(problem));
        }
        if (messageID) this.#thread.reveal(messageID);
        this.#thread.setOlder(this.#older(next));
    }

    #follow() {
        this.#live ??= follow(
            this.#id,
            {
                onMessages: (messages, asOf) => this.#received(messages, asOf),
                onDelta: (delta) => this.#grown(delta),
                onConversation: put,
                processing: () => this.#processing().map((turn) => turn.processingID),
                onGone: () => forget(this.#id),
            },
            this.#closing.signal,
        );
    }

    #received(messages, asOf) {
        if (messages.length === 0 || this.#closing.signal.aborted) return;
        this.#ends.look(this.#thread.turns);
        this.#thread.add(messages, { asOf });
        this.#showState();
    }

    #grown(delta) {
        const { message_id: id } = delta;
        const questionID = delta.user_message_id ?? delta.question_id ?? delta.reply_to;
        const turn = this.#thread.turnOf(id) ?? this.#thread.turnOf(questionID) ?? this.#processing().at(-1);
        // This tab reads that answer from its own question's stream.
        if (!turn || turn.isOwn) return;
        const text = withDelta(turn.answer(id)?.content ?? "", delta);
        if (text === null) this.#live.poll();
        else turn.setGrowing(id, text);
    }

    #send(question) {
        const sending = new Sending(question, {
            thread: this.#thread,
            signal: this.#closing.signal,
            conversationID: () => this.#created(),
            run: (again) => this.#run(again),
            poll: () => this.#live?.poll(),
            onAccepted: () => this.#showState(),
            takeBack: (written) => this.#takeBack(written),
            giveUp: (written, problem) => this.#giveUp(written, problem),
        });
        this.#run(sending);
    }

    async #run(sending) {
        const { turn } = sending;
        turn.isOwn = true;
        this.#showState();
        await sending.run();
        turn.isOwn = false;
        this.#showState();
        // Nobody hears of its title and place where its view was left.
        if (this.#closing.signal.aborted && this.#id !== null) refreshed(this.#id);
    }

    #takeBack({ text, files }) {
        // What was left is not looked at any more; the conversation may be on the screen again in another view.
        if (this.#closing.signal.aborted) {
            returnToDraft(this.#draftID, text);
            if (files.length > 0) toast(t("question.unsentFiles"));
            return;
        }
        this.#composer.takeBack(text);
        if (files.length > 0) this.#composer.addFiles(files);
    }

    #giveUp({ text, files }, problem) {
        returnToDraft(this.#draftID, text);
        const kept = [text && t("question.unsentText"), files.length > 0 && t("question.unsentFiles")];
        toast([t("question.unsent", { problem: problemText(problem) }), ...kept].filter(Boolean).join(" "));
    }

    /** The conversation whose draft a question becomes; a new one when this one is no more. */
    get #draftID() {
        const isKnown = this.#id !== null && (conversationOf(this.#id) !== null || currentUser() === null);
        return isKnown ? this.#id : null;
    }

    /** The id of the conversation, which is made when its first question is sent. */
    async #created() {
        if (this.#id !== null) return this.#id;
        this.#creation ??= create().then(
            (conversation) => {
                this.#id = conversation.conversation_id;
                if (!this.#closing.signal.aborted) this.#moved();
            },
            (problem) => {
                this.#creation = null;
                throw problem;
            },
        );
        await this.#creation;
        return this.#id;
    }

    /** What began as a new conversation has its own address from now on, and its own draft. */
    #moved() {
        rewrite(`/c/${this.#id}`);
        keepDraft(null, "");
        this.#composer.keepDraft();
        this.#follow();
        this.#onCreated();
    }

    async #act(messageID, action) {
        if (!messageID) return;
        const asOf = performance.now();
        if (action !== "cancel") this.#ends.forget(this.#thread.turnOf(messageID));
        try {
            const message = await chat(`/messages/${messageID}/${action}`, { method: "POST" });
            this.#received([message], asOf);
            // Events may have been faster, and told of the end before this tab knew of the beginning.
            const turn = this.#thread.turnOf(message.id);
            if (action !== "cancel" && turn && !turn.isProcessing) this.#ends.tell(turn);
            this.#live?.poll();
        } catch (problem) {
            // Somebody was faster, here or in another tab: what is true now is shown instead.
            if (problem.status !== 409) toast(problemText(problem));
            this.#live?.poll();
        }
        this.#showState();
    }

    #stop() {
        const turn = this.#writing().at(-1);
        if (turn) this.#act(turn.processingID, "cancel");
    }

    #processing() {
        return this.#thread.turns.filter((turn) => turn.processingID);
    }

    #writing() {
        return this.#processing().filter((turn) => turn.isWriting);
    }

    #showState() {
        if (this.#closing.signal.aborted) return;
        this.#ends.look(this.#thread.turns);
        this.#composer.setAnswering(this.#writing().length > 0);
    }

    /** The conversation as the list knows it. */
    get conversation() {
        return this.#id === null ? null : conversationOf(this.#id);
    }
}
