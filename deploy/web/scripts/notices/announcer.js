// What screen readers are told. The region exists from the start: one that appears with its text is often not read.

const region = document.getElementById("announcer");

/** Has `text` read out when the reader is idle. */
export function announce(text) {
    region.textContent = "";
    // An unchanged text is no change to announce: the empty one must have been seen first.
    setTimeout(() => {
        region.textContent = text;
    }, 50);
}
