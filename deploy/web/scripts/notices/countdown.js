// Waiting that people can see: seconds counted down on the screen.

/** How often it is looked whether a second has passed. */
const tickMilliseconds = 250;

/**
 * Calls `onSecond` with the seconds left, from `seconds` to 1, once for each.
 *
 * @returns {{done: Promise<boolean>, skip: () => void}} true when the time is over or was skipped, false when `signal`
 *     ended it
 */
export function countdown(seconds, onSecond, signal) {
    if (signal?.aborted) return { done: Promise.resolve(false), skip() {} };
    const end = performance.now() + seconds * 1000;
    let told = Infinity;
    let finish;
    const done = new Promise((resolve) => {
        finish = resolve;
    });
    const tick = () => {
        const left = Math.ceil((end - performance.now()) / 1000);
        if (left <= 0) return finish(true);
        if (left < told) onSecond(left);
        told = left;
    };
    const timer = setInterval(tick, tickMilliseconds);
    signal?.addEventListener("abort", () => finish(false), { once: true });
    tick();
    done.then(() => clearInterval(timer));
    return { done, skip: () => finish(true) };
}
