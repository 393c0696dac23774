// Texts that have not been sent yet, by conversation, kept while the tab lives.

const returns = new EventTarget();
const keyOf = (conversationID) => `parley.draft.${conversationID ?? "new"}`;

/** @param {number | null} conversationID null: the one that begins with its first question */
export function draftOf(conversationID) {
    try {
        return sessionStorage.getItem(keyOf(conversationID)) ?? "";
    } catch {
        return "";
    }
}

export function keepDraft(conversationID, text) {
    try {
        if (text) sessionStorage.setItem(keyOf(conversationID), text);
        else sessionStorage.removeItem(keyOf(conversationID));
    } catch {
        // Not kept.
    }
}

/** A question that comes back to be changed; what is being written already stays below it. */
export function withReturned(draft, question) {
    const written = draft.trim();
    if (!question) return draft;
    return written && written !== question ? `${question}\n\n${written}` : question;
}

/** A question comes back to a conversation that may be on the screen again, or not. */
export function returnToDraft(conversationID, question) {
    keepDraft(conversationID, withReturned(draftOf(conversationID), question));
    returns.dispatchEvent(new CustomEvent("returned", { detail: conversationID }));
}

export function onReturned(listener, signal) {
    returns.addEventListener("returned", ({ detail }) => listener(detail), { signal });
}
