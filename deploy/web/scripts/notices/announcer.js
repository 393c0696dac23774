// What screen readers are told. The region exists from the start: one that appears with its text is often not read.

const region = document.getElementById("announcer");

/** How long a text stands before the next one takes its place. */
const standingMilliseconds = 300;
const waiting = [];
let isBusy = false;

/** Has `text` read out when the reader is idle. */
export function announce(text) {
    waiting.push(text);
    if (!isBusy) next();
}

function next() {
    isBusy = waiting.length > 0;
    if (!isBusy) return;
    region.textContent = "";
    // An unchanged text is no change to announce: the empty one must have been seen first.
    setTimeout(() => {
        region.textContent = waiting.shift();
        setTimeout(next, standingMilliseconds);
    }, 50);
}
