// Texts that have not been sent yet, by user and conversation, kept while the tab lives or until somebody signs out.

import { currentUser, onSession } from "../session/session.js";

const prefix = "parley.draft.";
const returns = new EventTarget();
/** What is kept where storage is forbidden. */
const kept = new Map();
let ownerID = null;

/** A session that is lost leaves its user's drafts to the user, and to nobody else. */
function keyOf(conversationID) {
    ownerID = currentUser()?.id ?? ownerID;
    return `${prefix}${ownerID}.${conversationID ?? "new"}`;
}

onSession((event, detail) => {
    if (event !== "ended" || detail.isLost) return;
    kept.clear();
    try {
        for (const key of Object.keys(sessionStorage)) if (key.startsWith(prefix)) sessionStorage.removeItem(key);
    } catch {
        // Nothing is kept there.
    }
});

/** @param {number | null} conversationID null: the one that begins with its first question */
export function draftOf(conversationID) {
    const key = keyOf(conversationID);
    try {
        return sessionStorage.getItem(key) ?? kept.get(key) ?? "";
    } catch {
        return kept.get(key) ?? "";
    }
}

export function keepDraft(conversationID, text) {
    const key = keyOf(conversationID);
    kept.delete(key);
    try {
        if (text) sessionStorage.setItem(key, text);
        else sessionStorage.removeItem(key);
    } catch {
        kept.set(key, text);
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
