// The files of a question: what they are and how far they have been read.

import { h, icon } from "../dom.js";
import { sizeText, t } from "../words.js";

const isPicture = (type) => type?.startsWith("image/") ?? false;

/** @param {object} file as in a Message */
export function fileCard(file, { isReading }) {
    const { pages_done: done, pages_total: total } = file;
    const isBetween = isReading && total > 0 && done < total;
    const label = t("file.pages", { n: total ?? 0, done });
    return h(
        "li",
        { class: "file" },
        h("span", { class: "file-icon" }, icon(isPicture(file.content_type) ? "image" : "file")),
        h(
            "span",
            { class: "file-text" },
            h("span", { class: "file-name", title: file.name, dir: "auto" }, file.name),
            h(
                "span",
                { class: "file-note" },
                [sizeText(file.size), pagesNote(file, isReading)].filter(Boolean).join(" · "),
                file.partial && h("span", { class: "badge badge-warning" }, t("file.partial")),
            ),
            isBetween && h("progress", { class: "bar", max: total, value: done, "aria-label": label }),
        ),
    );
}

function pagesNote({ pages_done: done, pages_total: total }, isReading) {
    if (!total) return isReading ? t("file.waiting") : null;
    return done < total && isReading ? t("file.pages", { n: total, done }) : t("file.read", { n: total });
}

/** A file that has not been sent yet. */
export function chosenFile(file, { onRemove, problem }) {
    const remove =
        onRemove &&
        h(
            "button",
            {
                type: "button",
                class: "icon-button icon-button-small",
                title: t("file.remove", { name: file.name }),
                "aria-label": t("file.remove", { name: file.name }),
                on: { click: onRemove },
            },
            icon("close"),
        );
    return h(
        "li",
        { class: ["file", problem && "file-refused"] },
        h("span", { class: "file-icon" }, icon(isPicture(file.type) ? "image" : "file")),
        h(
            "span",
            { class: "file-text" },
            h("span", { class: "file-name", title: file.name, dir: "auto" }, file.name),
            h("span", { class: "file-note" }, problem ?? sizeText(file.size)),
        ),
        remove,
    );
}
