// The line above everything: no connection, or a service that asks to wait. It is no live region: the seconds would be
// read out one by one. What it says is announced once, when it begins.

import { fill, h, icon } from "../dom.js";
import { isLost, look, onConnection } from "../network/connection.js";
import { t } from "../words.js";
import { announce } from "./announcer.js";
import { countdown } from "./countdown.js";

const attemptsMax = 6;
const place = () => document.getElementById("banner");
/** Calls that wait, with the seconds left of each: the banner shows the longest. */
const waits = new Set();
/** Where the seconds are counted. */
let label = null;

/** A connection that is lost again so soon was not really there in between. */
const lostAnewMilliseconds = 10_000;
let lostAt = -Infinity;

onConnection((isLostNow) => {
    if (isLostNow) {
        if (performance.now() - lostAt > lostAnewMilliseconds) announce(t("banner.offline"));
        lostAt = performance.now();
    }
    show();
});

function show() {
    const banner = place();
    label = null;
    banner.hidden = !isLost() && waits.size === 0;
    if (isLost()) {
        fill(banner, icon("offline"), h("span", {}, t("banner.offline")), tryButton(look));
    } else if (waits.size > 0) {
        label = h("span", {}, waitText());
        fill(banner, icon("clock"), label, tryButton(skipWaits));
    } else {
        fill(banner);
    }
}

const tryButton = (onClick) =>
    h("button", { class: "button-link", type: "button", on: { click: onClick } }, t("banner.try"));

const longestWait = () => Math.max(0, ...[...waits].map(({ seconds }) => seconds));
const waitText = () => t("banner.busy", { n: longestWait() });

function skipWaits() {
    for (const { skip } of [...waits]) skip();
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
            if (!problem.isOverload || attempt === attemptsMax || signal?.aborted) throw problem;
            if (!(await waited(problem.retryAfter ?? 2 ** attempt, signal))) throw problem;
        }
    }
}

async function waited(seconds, signal) {
    const wait = { seconds };
    const count = countdown(seconds, (left) => setSeconds(wait, left), signal);
    wait.skip = count.skip;
    const isLonger = seconds > longestWait();
    waits.add(wait);
    if (isLonger) announce(waitText());
    show();
    const isOver = await count.done;
    waits.delete(wait);
    show();
    return isOver;
}

function setSeconds(wait, left) {
    wait.seconds = left;
    if (!label) return;
    const text = waitText();
    if (label.textContent !== text) label.textContent = text;
}
