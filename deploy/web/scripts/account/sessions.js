// Where the user is signed in.

import { fill, h, icon } from "../dom.js";
import { auth } from "../network/request.js";
import { patiently } from "../notices/banner.js";
import { toast } from "../notices/toast.js";
import { problemText, t, timeText } from "../words.js";
import { section } from "./account.js";

/** @param {AbortSignal} signal ends with the view */
export function sessionsSection(signal) {
    const list = h("ul", { class: "rows" });
    const load = async () => {
        try {
            const { sessions } = await patiently(() => auth("/api/sessions"), signal);
            fill(list, sessions.sort(currentFirst).map((session) => row(session, load)));
        } catch (problem) {
            const again = h("button", { type: "button", class: "button-link", on: { click: load } }, t("banner.try"));
            fill(list, h("li", { class: "empty" }, problemText(problem), " ", again));
        }
    };
    fill(list, [1, 2].map(() => h("li", { class: "row" }, h("span", { class: "bone bone-wide" }))));
    load();
    addEventListener("parley-sessions", load, { signal });
    return section("sessions", list);
}

const currentFirst = (one, other) => Number(other.current) - Number(one.current);

function row(session, onEnded) {
    const end = h(
        "button",
        {
            type: "button",
            class: "button button-quiet button-small",
            "aria-label": t("sessions.endOne", { device: deviceText(session.user_agent) }),
        },
        t("sessions.end"),
    );
    end.addEventListener("click", async () => {
        end.disabled = true;
        try {
            await auth(`/api/sessions/${session.id}`, { method: "DELETE" });
            toast(t("sessions.ended"));
        } catch (problem) {
            if (problem.status !== 404) toast(problemText(problem));
        }
        onEnded();
    });
    return h(
        "li",
        { class: "row" },
        icon("device"),
        h(
            "div",
            { class: "row-text" },
            h("strong", { title: session.user_agent }, deviceText(session.user_agent)),
            h(
                "span",
                {},
                [session.ip, t("sessions.used", { time: timeText(session.last_used_at) })].filter(Boolean).join(" · "),
            ),
        ),
        session.current ? h("span", { class: "badge badge-good" }, t("sessions.current")) : end,
    );
}

const browsers = [
    ["Edg/", "Edge"],
    ["OPR/", "Opera"],
    ["YaBrowser/", "Yandex Browser"],
    ["Firefox/", "Firefox"],
    ["Chrome/", "Chrome"],
    ["Safari/", "Safari"],
    ["curl/", "curl"],
];
const systems = ["Android", "iPhone", "iPad", "Windows", "Mac OS X", "CrOS", "Linux"];

/** "Chrome · Linux": what a person recognises of a User-Agent. */
function deviceText(agent) {
    const browser = browsers.find(([sign]) => agent?.includes(sign))?.[1];
    const system = systems.find((name) => agent?.includes(name))?.replace("Mac OS X", "macOS");
    return [browser, system].filter(Boolean).join(" · ") || agent?.slice(0, 40) || t("sessions.unknown");
}
