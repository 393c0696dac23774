// One tab at a time.

let queue = Promise.resolve();

/** Runs `work` while no other tab runs work under this name, and tells it whether another tab came first. Web Locks
    need a secure origin; elsewhere, one at a time in this tab: AuthService accepts a token just replaced for ten more
    seconds, which covers two tabs at once. */
export async function alone(name, work) {
    if (navigator.locks) {
        let isFree = true;
        const result = await navigator.locks.request(name, { ifAvailable: true }, (lock) => {
            isFree = lock !== null;
            return isFree ? work(false) : null;
        });
        return isFree ? result : navigator.locks.request(name, () => work(true));
    }
    const result = queue.then(() => work(false));
    queue = result.catch(() => {});
    return result;
}
