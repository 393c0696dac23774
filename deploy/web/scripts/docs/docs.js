// Both services' calls, from their own OpenAPI documents. What the documents say is English; the words around it follow
// the reader.

import "../preferences.js";
import { fill, h, icon } from "../dom.js";
import { mark } from "../mark.js";
import { loadWords, t } from "../words.js";
import { inline, operationElement, operationID } from "./operation.js";
import { DocumentReader } from "./schema.js";

const services = [
    { path: "/api/auth", port: "8080" },
    { path: "/api/chat", port: "8000" },
];
const methods = ["get", "post", "put", "patch", "delete"];
/** As docs.css has it. */
const wide = matchMedia("(width >= 56rem)");
const app = document.getElementById("app");

async function load({ path, port }) {
    const response = await fetch(`${path}/openapi.json`);
    if (!response.ok) throw new Error(String(response.status));
    const document = await response.json();
    return { document, port, path, operations: operationsOf(document, path) };
}

function operationsOf(document, path) {
    const prefix = path.split("/").at(-1);
    return Object.entries(document.paths).flatMap(([address, item]) =>
        methods
            .filter((method) => item[method])
            .map((method) => ({
                ...item[method],
                method,
                address,
                parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])],
                prefix,
            })),
    );
}

function show(loaded) {
    const navigation = h(
        "nav",
        { class: "docs-side", "aria-label": t("docs.calls") },
        h("a", { href: "/", class: "docs-brand" }, mark(), "Parley"),
        index(loaded),
    );
    const main = h(
        "main",
        { class: "docs-main", id: "main", tabindex: "-1" },
        h("h1", {}, t("docs.title")),
        h("p", { class: "docs-lead" }, t("docs.lead")),
        loaded.map(serviceElement),
    );
    fill(app, h("div", { class: "docs" }, navigation, main));
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

/** All calls, beside the text; where there is no room for both, folded above it. */
function index(loaded) {
    const element = h(
        "details",
        { class: "docs-index" },
        h("summary", {}, t("docs.calls")),
        loaded.map(({ document, operations }) => [
            h("h2", {}, document.info.title.replace("Parley ", "")),
            h("ul", { class: "docs-links" }, operations.map(linkTo)),
        ]),
    );
    const fold = () => {
        element.open = wide.matches;
    };
    wide.addEventListener("change", fold);
    element.addEventListener("click", (event) => event.target.closest("a") && fold());
    fold();
    return element;
}

function linkTo(operation) {
    return h(
        "li",
        {},
        h(
            "a",
            { href: `#${operationID(operation)}` },
            h("span", { class: ["method", `method-${operation.method}`] }, operation.method.toUpperCase()),
            h("span", { class: "docs-path" }, operation.address),
        ),
    );
}

function serviceElement({ document, port, path, operations }) {
    const reader = new DocumentReader(document);
    return h(
        "section",
        { class: "docs-service", "aria-label": document.info.title },
        h("h2", {}, document.info.title),
        h("p", { class: "docs-summary" }, document.info.summary),
        h("p", {}, inline(document.info.description)),
        h("p", { class: "notice" }, t("docs.where", { port, path })),
        operations.map((operation) => operationElement(operation, reader)),
    );
}

function showProblem() {
    const again = h("button", { class: "button button-quiet", type: "button", on: { click: start } }, t("banner.try"));
    fill(app, h("main", { class: "empty", role: "alert" }, icon("alert"), h("h1", {}, t("problem.offline")), again));
}

async function start() {
    fill(app, h("main", { class: "empty", role: "status" }, h("span", { class: "spinner" }), h("p", {}, t("docs.loading"))));
    try {
        show(await Promise.all(services.map(load)));
    } catch {
        showProblem();
    }
}

await loadWords();
document.title = `${t("docs.title")} · Parley`;
await start();
