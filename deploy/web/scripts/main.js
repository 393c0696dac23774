// The start: words, session, and the view that the address asks for.

import "./preferences.js";
import { currentView, go, onAddress } from "./address.js";
import { clear } from "./conversations/store.js";
import { fill, h, icon } from "./dom.js";
import { confirmEmailView, forgottenView, resetView } from "./entrance/forgotten.js";
import { registerView } from "./entrance/register.js";
import { signInView } from "./entrance/sign-in.js";
import { reached } from "./network/connection.js";
import { refreshBanner } from "./notices/banner.js";
import { countdown } from "./notices/countdown.js";
import { currentUser, isRemembered, onSession, resume } from "./session/session.js";
import { Shell } from "./shell.js";
import { loadWords, problemText, t } from "./words.js";

const app = document.getElementById("app");
const entrances = new Set(["sign-in", "register", "forgotten"]);
let shell = null;
/** Where to go after signing in, and why somebody has to. */
let wanted = "/";
let notice;

function show() {
    const view = currentView();
    if (view.name === "password-reset") return showEntrance(resetView(view.token));
    if (view.name === "confirm-email") return showEntrance(confirmEmailView(view.token));
    if (!currentUser()) return showEntrance(entranceView(view));
    if (entrances.has(view.name)) return go(wanted, { isReplaced: true });
    if (!shell) {
        shell = new Shell();
        fill(app, shell.element);
    }
    shell.show();
}

function entranceView(view) {
    if (view.name === "register") return registerView();
    if (view.name === "forgotten") return forgottenView();
    if (view.name !== "sign-in") {
        wanted = location.pathname + location.search;
        history.replaceState(null, "", "/sign-in");
    }
    return signInView({ notice });
}

function showEntrance(element) {
    closeShell();
    fill(app, element);
    element.querySelector("form input")?.focus();
}

function closeShell() {
    shell?.close();
    shell = null;
}

/** Another language: everything is drawn again. */
function redraw() {
    closeShell();
    refreshBanner();
    show();
}

onAddress(show);
addEventListener("parley-redraw", redraw);
onSession((event, detail) => {
    if (event === "started") {
        notice = undefined;
        show();
    }
    if (event === "ended") {
        clear();
        notice = detail.isLost ? { text: t("signIn.lost"), kind: "warning" } : undefined;
        if (!detail.isLost) wanted = "/";
        if (!detail.isLost) history.replaceState(null, "", "/sign-in");
        show();
    }
});

/** The session left in this browser goes on, as soon as the service can be asked. */
async function restore() {
    while (isRemembered() && !currentUser()) {
        try {
            await resume();
        } catch (problem) {
            if (problem.code === "session_lost") return;
            await showWaiting(problem);
        }
    }
}

async function showWaiting(problem) {
    const words = h("p", {}, problemText(problem));
    const title = h("h1", {}, t("start.waiting"));
    fill(app, h("main", { class: "empty starting", role: "alert" }, icon("offline"), title, words));
    if (problem.isOffline) return reached();
    const onSecond = (left) => {
        words.textContent = t("banner.busy", { n: left });
    };
    await countdown(problem.retryAfter ?? 5, onSecond).done;
}

await loadWords();
await restore();
show();
