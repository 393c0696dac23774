// Where questions are written.

import { fill, h, icon, iconButton } from "../dom.js";
import { recall, remember } from "../preferences.js";
import { t } from "../words.js";
import { accepted, Attachments } from "./attachments.js";
import { domainSelect } from "./domains.js";
import { draftOf, keepDraft, withReturned } from "./drafts.js";

const charactersMax = 10_000;
/** From here on the characters left are counted. */
const charactersNear = 9_000;
const heightMax = 240;

/**
 * @param {object} options
 * @param {(question: {text: string, files: File[], domain: string | null}) => void} options.onSend
 * @param {() => void} options.onStop
 * @param {() => number | null} options.conversationID whose draft the text is
 */
export class Composer {
    #text = h("textarea", { class: "composer-text", id: "question", rows: "1", dir: "auto" });
    #send = h("button", { class: "composer-send", type: "submit" });
    #count = h("p", { class: "composer-count", role: "status" });
    #domain;
    #attachments = new Attachments(() => this.#update());
    #isAnswering = false;
    #options;

    constructor(options) {
        this.#options = options;
        this.#text.placeholder = t("composer.placeholder");
        this.#text.setAttribute("enterkeyhint", "send");
        this.#domain = domainSelect(recall("domain"), (id) => remember("domain", id));
        const chooser = h("input", { type: "file", multiple: true, accept: accepted, class: "unseen", tabindex: "-1" });
        chooser.setAttribute("aria-label", t("composer.attach"));
        const attach = iconButton("attach", t("composer.attach"));
        attach.addEventListener("click", () => chooser.click());
        chooser.addEventListener("change", () => {
            this.#attachments.add(chooser.files);
            chooser.value = "";
            this.focus();
        });
        this.element = h(
            "form",
            { class: "composer", "aria-label": t("composer.label") },
            this.#attachments.element,
            h("label", { class: "unseen", for: "question" }, t("composer.text")),
            this.#text,
            h(
                "div",
                { class: "composer-row" },
                attach,
                chooser,
                this.#domain,
                h("span", { class: "composer-gap" }),
                this.#count,
                this.#send,
            ),
        );
        this.#listen();
        this.showDraft();
    }

    focus() {
        this.#text.focus();
    }

    addFiles(files) {
        this.#attachments.add(files);
        this.focus();
    }

    /** Puts a text there to be sent or changed. */
    suggest(text) {
        this.#text.value = text;
        this.#update();
        this.focus();
    }

    /** A question that stood in the conversation, to be changed; what is being written already stays below it. */
    takeBack(text) {
        this.suggest(withReturned(this.#text.value, text));
    }

    /** Shows the draft as it is kept. */
    showDraft() {
        this.#text.value = draftOf(this.#options.conversationID());
        this.#update();
    }

    keepDraft() {
        keepDraft(this.#options.conversationID(), this.#text.value);
    }

    /** While an answer is being made the button stops it. */
    setAnswering(isAnswering) {
        this.#isAnswering = isAnswering;
        this.#update();
    }

    /** The textarea knows its height only when it is on the page. */
    grow() {
        this.#text.style.height = "auto";
        this.#text.style.height = `${Math.min(this.#text.scrollHeight, heightMax)}px`;
    }

    #listen() {
        this.#text.addEventListener("input", () => this.#update());
        this.#text.addEventListener("keydown", (event) => {
            // On a touch keyboard Enter is the only way to a new line.
            const isTouch = matchMedia("(pointer: coarse)").matches;
            if (event.key !== "Enter" || event.shiftKey || event.isComposing || isTouch) return;
            event.preventDefault();
            if (!this.#isAnswering) this.#submit();
        });
        this.#text.addEventListener("paste", (event) => {
            if (event.clipboardData.files.length === 0) return;
            event.preventDefault();
            this.#attachments.add(event.clipboardData.files);
        });
        this.element.addEventListener("submit", (event) => {
            event.preventDefault();
            if (this.#isAnswering) this.#options.onStop();
            else this.#submit();
        });
    }

    #submit() {
        if (!this.#isReady) return;
        const question = {
            text: this.#text.value.trim(),
            files: this.#attachments.files,
            domain: this.#domain.value || null,
        };
        this.#text.value = "";
        this.#attachments.clear();
        this.#update();
        this.focus();
        this.#options.onSend(question);
    }

    get #length() {
        return [...this.#text.value.trim()].length;
    }

    get #isReady() {
        const { isEmpty, isRefused } = this.#attachments;
        return (this.#length > 0 || !isEmpty) && this.#length <= charactersMax && !isRefused;
    }

    #update() {
        const label = t(this.#isAnswering ? "composer.stop" : "composer.send");
        fill(this.#send, icon(this.#isAnswering ? "stop" : "send"));
        this.#send.title = label;
        this.#send.setAttribute("aria-label", label);
        this.#send.setAttribute("aria-disabled", String(!this.#isAnswering && !this.#isReady));
        const left = charactersMax - this.#length;
        this.#count.textContent = this.#length > charactersNear ? t("composer.left", { n: left }) : "";
        this.#count.classList.toggle("composer-count-over", left < 0);
        this.keepDraft();
        this.grow();
    }
}
