// Whether the services can be reached, for all parts of the page that show it or wait for it.

const state = new EventTarget();
let lost = !navigator.onLine;
let probe;
/** The last time at which the browser reported that the network is gone. */
let offlineAt = -Infinity;

/** True while calls do not arrive. */
export const isLost = () => lost;

export function onConnection(listener, signal) {
    state.addEventListener("change", () => listener(lost), { signal });
}

/** A call did not arrive. */
export function reportLost() {
    if (!lost) set(true);
    probe ??= setInterval(look, 3000);
}

/** Reports that a call sent at `sentAt` was answered. A call sent before the network went says nothing about it now. */
export function reportReached(sentAt) {
    if (sentAt < offlineAt) return;
    clearInterval(probe);
    probe = undefined;
    if (lost) set(false);
}

/** Asks the service whether it is there: at once, by a button, or every three seconds. */
export async function look() {
    const sentAt = performance.now();
    try {
        const response = await fetch("/api/auth/livez", { cache: "no-store", signal: AbortSignal.timeout(4000) });
        if (response.ok) reportReached(sentAt);
    } catch {
        reportLost();
    }
}

/** Resolves when calls may arrive again, or when `signal` ends the waiting. */
export function reached(signal) {
    if (!lost || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
        const done = new AbortController();
        onConnection((isLost) => isLost || (done.abort(), resolve()), done.signal);
        signal?.addEventListener("abort", () => (done.abort(), resolve()), { once: true });
    });
}

function set(value) {
    lost = value;
    state.dispatchEvent(new Event("change"));
}

addEventListener("offline", () => {
    offlineAt = performance.now();
    reportLost();
});
addEventListener("online", look);
if (lost) reportLost();
