// Waiting that people can see: seconds counted down on the screen.

/**
 * Calls `onSecond` with the seconds left, from `seconds` to 1.
 *
 * @returns {{done: Promise<boolean>, skip: () => void}} true when the time is over or was skipped, false when `signal`
 *     ended it
 */
export function countdown(seconds, onSecond, signal) {
    const end = performance.now() + seconds * 1000;
    let finish;
    const done = new Promise((resolve) => {
        finish = resolve;
    });
    const tick = () => {
        const left = Math.ceil((end - performance.now()) / 1000);
        if (left <= 0) return finish(true);
        onSecond(left);
    };
    const timer = setInterval(tick, 250);
    signal?.addEventListener("abort", () => finish(false), { once: true });
    tick();
    done.then(() => clearInterval(timer));
    return { done, skip: () => finish(true) };
}
