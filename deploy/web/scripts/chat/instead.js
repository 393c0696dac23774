// What stands in the place of messages.

import { h, icon } from "../dom.js";
import { mark } from "../mark.js";
import { currentUser } from "../session/session.js";
import { problemText, t } from "../words.js";

/** An empty conversation: what can be done here, and a few beginnings. */
export function greeting(onSuggest) {
    const name = currentUser()?.name.split(" ")[0] ?? "";
    const beginnings = [1, 2, 3, 4].map((n) =>
        h(
            "button",
            { type: "button", class: "beginning", on: { click: () => onSuggest(t(`greeting.question${n}`)) } },
            h("strong", {}, t(`greeting.title${n}`)),
            h("span", {}, t(`greeting.question${n}`)),
        ),
    );
    return h(
        "div",
        { class: "greeting" },
        mark(),
        h("h2", {}, t("greeting.title", { name })),
        h("p", {}, t("greeting.lead")),
        h("div", { class: "beginnings" }, beginnings),
    );
}

/** The shape of messages before they are there. */
export function skeleton() {
    const lines = (...widths) => widths.map((width) => h("span", { class: ["bone", `bone-${width}`] }));
    return h(
        "div",
        { class: "skeleton", role: "status", "aria-label": t("thread.loading") },
        h("div", { class: "skeleton-question" }, lines("full")),
        h("div", { class: "skeleton-answer" }, lines("full", "wide", "full", "half")),
        h("div", { class: "skeleton-question" }, lines("full")),
        h("div", { class: "skeleton-answer" }, lines("wide", "full", "half")),
    );
}

/** Whether a conversation is not there, for this user at least. */
export const isGone = (problem) => problem.status === 404 || problem.status === 400;

/** A history that could not be loaded. */
export function historyProblem(problem, onAgain) {
    return h(
        "div",
        { class: "empty", role: "alert" },
        icon("alert"),
        h("h2", {}, t(isGone(problem) ? "thread.gone" : "thread.failed")),
        h("p", {}, isGone(problem) ? t("thread.goneNote") : problemText(problem)),
        isGone(problem)
            ? h("a", { class: "button button-quiet", href: "/", "data-view": true }, t("sidebar.new"))
            : h("button", { class: "button button-quiet", type: "button", on: { click: onAgain } }, t("banner.try")),
    );
}
