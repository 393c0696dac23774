// The line above everything: no connection, or a service that asks to wait.

import { fill, h, icon } from "../dom.js";
import { isLost, look, onConnection } from "../network/connection.js";
import { t } from "../words.js";
import { announce } from "./announcer.js";
import { countdown } from "./countdown.js";

const attemptsMax = 6;
const place = () => document.getElementById("banner");
/** Calls that wait, by their moment: the banner shows the longest. */
let waiting = null;

onConnection(show);

function show() {
    const banner = place();
    banner.hidden = !isLost() && !waiting;
    if (isLost()) {
        fill(
            banner,
            icon("offline"),
            h("span", {}, t("banner.offline")),
            h("button", { class: "button-link", type: "button", on: { click: look } }, t("banner.try")),
        );
        announce(t("banner.offline"));
    } else if (waiting) {
        const seconds = h("span", {}, t("banner.busy", { n: waiting.seconds }));
        const skip = h("button", { class: "button-link", type: "button", on: { click: waiting.skip } }, t("banner.try"));
        waiting.label = seconds;
        fill(banner, icon("clock"), seconds, skip);
    } else {
        fill(banner);
    }
}

/** Draws the banner again, in another language. */
export const refreshBanner = show;

/**
 * Tries a call that changes nothing again while the service asks to wait, and shows how long.
 *
 * @template Result
 * @param {() => Promise<Result>} action
 * @param {AbortSignal} [signal]
 * @returns {Promise<Result>}
 */
export async function patiently(action, signal) {
    for (let attempt = 1; ; attempt += 1) {
        try {
            return await action();
        } catch (problem) {
            if (!problem.isOverload || attempt === attemptsMax) throw problem;
            if (!(await waited(problem.retryAfter ?? 2 ** attempt, signal))) throw problem;
        }
    }
}

async function waited(seconds, signal) {
    announce(t("banner.busy", { n: seconds }));
    const count = countdown(
        seconds,
        (left) => {
            if (!waiting) return;
            waiting.seconds = left;
            if (waiting.label) waiting.label.textContent = t("banner.busy", { n: left });
        },
        signal,
    );
    waiting = { seconds, skip: count.skip };
    show();
    const isOver = await count.done;
    waiting = null;
    show();
    return isOver;
}
