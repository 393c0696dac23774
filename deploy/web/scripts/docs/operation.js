// One call: what it takes and what it answers.

import { h } from "../dom.js";
import { t } from "../words.js";
import { exampleOf } from "./schema.js";

/** The anchor of a call. */
export const operationID = ({ prefix, method, address }) =>
    `${prefix}-${method}${address.replace(/[{}]/g, "").replace(/\//g, "-")}`;

/** @param {import("./schema.js").DocumentReader} reader */
export function operationElement(operation, reader) {
    const id = operationID(operation);
    const parameters = operation.parameters.map((parameter) => reader.resolved(parameter));
    return h(
        "article",
        { class: "call", id, "aria-labelledby": `${id}-title` },
        h(
            "h3",
            { id: `${id}-title` },
            h("span", { class: ["method", `method-${operation.method}`] }, operation.method.toUpperCase()),
            h("code", {}, operation.address),
        ),
        h("p", { class: "docs-summary" }, operation.summary),
        operation.description && h("p", {}, inline(operation.description)),
        !operation.security?.length && h("p", { class: "docs-open" }, t("docs.open")),
        parameters.length > 0 && part(t("docs.parameters"), parameterTable(parameters, reader)),
        operation.requestBody && part(t("docs.body"), contents(reader.resolved(operation.requestBody).content, reader)),
        part(t("docs.answers"), responses(operation.responses, reader)),
    );
}

/** Text with what stands between backticks as code. */
export const inline = (text = "") =>
    text.split("`").map((piece, index) => (index % 2 === 1 ? h("code", {}, piece) : piece));

const part = (title, content) => h("section", { class: "call-part" }, h("h4", {}, title), content);

function parameterTable(parameters, reader) {
    const rows = parameters.map(({ name, in: place, required, description, schema }) =>
        row(name, reader.typeText(schema), required, [t(`docs.in.${place}`), description].filter(Boolean).join(". ")),
    );
    return table(rows);
}

function table(rows) {
    return h(
        "div",
        { class: "wide", tabindex: "0", role: "region", "aria-label": t("answer.table") },
        h(
            "table",
            {},
            h("thead", {}, h("tr", {}, ["name", "type", "meaning"].map((key) => h("th", { scope: "col" }, t(`docs.${key}`))))),
            h("tbody", {}, rows),
        ),
    );
}

function row(name, type, isRequired, meaning, depth = 0) {
    return h(
        "tr",
        {},
        h(
            "th",
            { scope: "row" },
            h(
                "div",
                { class: `depth-${Math.min(depth, 4)}` },
                h("code", {}, name),
                isRequired && h("span", { class: "docs-required" }, t("docs.required")),
            ),
        ),
        h("td", {}, type),
        h("td", {}, inline(meaning)),
    );
}

function contents(content = {}, reader) {
    return Object.entries(content).map(([type, media]) => {
        const members = reader.members(media.schema);
        const example = exampleOf(media, reader);
        return h(
            "div",
            { class: "media" },
            h("p", { class: "media-type" }, h("code", {}, type)),
            members.length > 0 &&
                table(members.map((one) => row(one.name, one.type, one.isRequired, one.description, one.depth))),
            example && exampleElement(example),
        );
    });
}

function exampleElement(text) {
    return h("pre", { class: "example", tabindex: "0", "aria-label": t("docs.example") }, h("code", {}, text));
}

function responses(list, reader) {
    return Object.entries(list)
        .sort(([one], [other]) => one.localeCompare(other))
        .map(([status, reference]) => {
            const response = reader.resolved(reference);
            return h(
                "details",
                { class: "answer-case" },
                h(
                    "summary",
                    {},
                    h("span", { class: ["status", `status-${status[0]}`] }, status),
                    h("span", {}, inline(response.description)),
                ),
                contents(response.content, reader),
                !response.content && h("p", { class: "docs-open" }, t("docs.noBody")),
            );
        });
}
