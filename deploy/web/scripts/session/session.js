// Who is signed in. The access token lives in this module's memory and dies with the tab. The refresh token is in
// localStorage, so that a reload and a second tab stay signed in: why that is acceptable is told in ARCHITECTURE.md.

import { auth, setAuthority } from "../network/request.js";
import { Problem } from "../network/problem.js";
import { alone } from "./alone.js";

const storageKey = "parley.refresh-token";
/** A token this near to its end is renewed before it is used. */
const marginMilliseconds = 20_000;
/** What another tab got is told by another way than that its turn is over, and may come a little later. */
const tellingMilliseconds = 500;

const changes = new EventTarget();
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("parley.session") : null;
let access = null;
let user = null;
let refreshToken = stored();
let renewal = null;

/** The signed-in user, or null. */
export const currentUser = () => user;

/** "started", "renamed" and "ended"; the latter with `detail.isLost` when nobody asked for it. */
export function onSession(listener, signal) {
    for (const name of ["started", "ended", "renamed"]) {
        changes.addEventListener(name, (event) => listener(name, event.detail), { signal });
    }
}

/** Whether a session was left in this browser. */
export const isRemembered = () => refreshToken !== null;

/** Goes on with the session left in this browser. */
export async function resume() {
    await renewed(null);
}

/** Takes over a Session answer: of signing in, registering, or renewing in another tab. */
export function begin(answer) {
    adopt(answer);
    store(answer.refresh_token);
    tell(answer);
    changes.dispatchEvent(new CustomEvent("started"));
}

/** Ends the session here and at the service; a service that is away does not keep anyone signed in here. */
export async function signOut() {
    await auth("/logout", { method: "POST" }).catch(() => {});
    forget(false);
    tabs?.postMessage({ ended: true });
}

/** After the account is gone. */
export function leave() {
    forget(false);
    tabs?.postMessage({ ended: true });
}

export function rename(name) {
    user = { ...user, name };
    changes.dispatchEvent(new CustomEvent("renamed"));
}

/** An access token that will last for the next call. */
async function token() {
    if (access && access.until - Date.now() > marginMilliseconds) return access.token;
    return renewed(access?.token ?? null);
}

/** A token other than `refused`. One tab renews at a time, and tells the others what it got. */
async function renewed(refused) {
    renewal ??= alone("parley.refresh", (isSecond) => exchange(refused, isSecond)).finally(() => {
        renewal = null;
    });
    await renewal;
    return access.token;
}

async function exchange(refused, isSecond) {
    if (isSecond && (access?.token ?? null) === refused) await told();
    // Another tab may have been first.
    if (access && access.token !== refused && access.until - Date.now() > marginMilliseconds) return;
    refreshToken = stored() ?? refreshToken;
    if (!refreshToken) throw lost();
    try {
        const answer = await auth("/refresh", {
            method: "POST",
            body: { refresh_token: refreshToken },
            isOpen: true,
        });
        adopt(answer);
        store(answer.refresh_token);
        tell(answer);
    } catch (problem) {
        if (problem.code !== "invalid_refresh_token") throw problem;
        throw lost();
    }
}

/** Resolves when another tab tells something; soon without that too, for it may have got nothing. */
function told() {
    const end = AbortSignal.timeout(tellingMilliseconds);
    return new Promise((resolve) => {
        end.addEventListener("abort", resolve, { once: true });
        tabs?.addEventListener("message", resolve, { once: true, signal: end });
    });
}

function lost() {
    forget(true);
    return new Problem(401, { code: "session_lost" });
}

function adopt(answer) {
    access = { token: answer.token, until: Date.now() + answer.expires_in * 1000 };
    user = answer.user;
}

function forget(isLost) {
    const wasSignedIn = user !== null || refreshToken !== null;
    access = null;
    user = null;
    store(null);
    if (wasSignedIn) changes.dispatchEvent(new CustomEvent("ended", { detail: { isLost } }));
}

function tell({ token, expires_in, user }) {
    tabs?.postMessage({ token, expires_in, user });
}

tabs?.addEventListener("message", ({ data }) => {
    if (data.ended) return forget(false);
    const wasSignedOut = user === null;
    // Somebody else signed in there: nothing of the one who was here may stay on the screen.
    if (!wasSignedOut && user.id !== data.user.id) {
        changes.dispatchEvent(new CustomEvent("ended", { detail: { isLost: false } }));
        return location.assign("/");
    }
    adopt(data);
    refreshToken = stored();
    if (wasSignedOut) changes.dispatchEvent(new CustomEvent("started"));
});

function store(value) {
    refreshToken = value;
    try {
        if (value) localStorage.setItem(storageKey, value);
        else localStorage.removeItem(storageKey);
    } catch {
        // Storage is forbidden: the session lasts as long as this tab.
    }
}

function stored() {
    try {
        return localStorage.getItem(storageKey);
    } catch {
        return null;
    }
}

export const authority = { token, renewed };
setAuthority(authority);
