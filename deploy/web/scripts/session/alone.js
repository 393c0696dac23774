// One tab at a time.

let queue = Promise.resolve();

/** Runs `work` while no other tab runs work under this name. Web Locks need a secure origin; elsewhere, one at a time
    in this tab: AuthService accepts a token just replaced for ten more seconds, which covers two tabs at once. */
export function alone(name, work) {
    if (navigator.locks) return navigator.locks.request(name, work);
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
}
