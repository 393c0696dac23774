// Files chosen for the next question: by the button, dropped, or pasted. The service decides what it takes; what it
// would surely refuse is said here at once.

import { fill, h } from "../dom.js";
import { announce } from "../notices/announcer.js";
import { t } from "../words.js";
import { chosenFile } from "./file-card.js";

const filesMax = 5;
const fileBytesMax = 20 * 1024 * 1024;
const allBytesMax = 50 * 1024 * 1024;
/** What the file dialog offers. */
export const accepted = ".png,.jpg,.jpeg,.webp,.gif,.bmp,.tif,.tiff,.pdf,.docx,.txt,.md";

export class Attachments {
    element = h("ul", { class: "files files-chosen", hidden: true });
    #files = [];
    #onChange;

    constructor(onChange) {
        this.#onChange = onChange;
        this.element.setAttribute("aria-label", t("composer.files"));
    }

    get files() {
        return this.#files;
    }

    get isEmpty() {
        return this.#files.length === 0;
    }

    /** Whether the service would surely refuse them. */
    get isRefused() {
        return this.#files.some((file) => this.#problem(file) !== null);
    }

    add(list) {
        const files = [...list];
        if (files.length === 0) return;
        this.#files = [...this.#files, ...files];
        announce(t("composer.added", { n: files.length }));
        this.#show();
    }

    clear() {
        this.#files = [];
        this.#show();
    }

    #remove(file) {
        this.#files = this.#files.filter((other) => other !== file);
        this.#show();
    }

    #problem(file) {
        const place = this.#files.indexOf(file);
        const before = this.#files.slice(0, place + 1).reduce((sum, { size }) => sum + size, 0);
        if (place >= filesMax) return t("file.tooMany", { n: filesMax });
        if (file.size === 0) return t("file.empty");
        if (file.size > fileBytesMax) return t("file.tooLarge");
        if (before > allBytesMax) return t("file.allTooLarge");
        return null;
    }

    #show() {
        this.element.hidden = this.isEmpty;
        fill(
            this.element,
            this.#files.map((file) =>
                chosenFile(file, { problem: this.#problem(file), onRemove: () => this.#remove(file) }),
            ),
        );
        this.#onChange();
    }
}

/** Takes files that are dropped anywhere on `area`, and shows that it would. */
export function acceptDrops(area, onFiles) {
    const sign = h("div", { class: "drop", hidden: true, "aria-hidden": "true" }, h("p", {}, t("composer.drop")));
    let depth = 0;
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    const set = (value) => {
        depth = value;
        sign.hidden = depth === 0;
    };
    area.append(sign);
    area.addEventListener("dragenter", (event) => hasFiles(event) && (event.preventDefault(), set(depth + 1)));
    area.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    area.addEventListener("dragleave", (event) => hasFiles(event) && set(Math.max(0, depth - 1)));
    area.addEventListener("drop", (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        set(0);
        onFiles(event.dataTransfer.files);
    });
}
