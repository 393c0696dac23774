// The conversations of the user, last active first, as far as they have been loaded.

import { chat } from "../network/request.js";
import { t } from "../words.js";

const pageLimit = 50;
/** Titles are searched for here, among this many. */
const restMax = 1000;
const changes = new EventTarget();
const known = new Map();
let nextCursor = null;
let isComplete = false;
let loading = null;

export const conversationOf = (id) => known.get(id) ?? null;

/** What the service calls a conversation that nobody has named. */
const unnamed = "New conversation";

/** The title to show. */
export const titleOf = ({ title }) => (title === unnamed ? t("sidebar.new") : title);

/** Last active first. */
export const conversations = () =>
    [...known.values()].sort((one, other) => (one.updated_at < other.updated_at ? 1 : -1));

/** Whether there are more than were loaded. */
export const hasMore = () => !isComplete;

/** "change", or "gone" with the id of a conversation that is no more. */
export function onConversations(listener, signal) {
    changes.addEventListener("change", () => listener(null), { signal });
    changes.addEventListener("gone", ({ detail }) => listener(detail), { signal });
}

/** Loads the next page; who asks while one is on its way waits for that one. @throws {Problem} */
export function loadMore() {
    loading ??= loadPage().finally(() => {
        loading = null;
    });
    return loading;
}

/** Loads what is missing of a list that is not very long. @throws {Problem} */
export async function loadRest() {
    while (hasMore() && known.size < restMax) await loadMore();
}

async function loadPage() {
    const cursor = nextCursor ? `&cursor=${encodeURIComponent(nextCursor)}` : "";
    const page = await chat(`/conversations?limit=${pageLimit}${cursor}`);
    for (const conversation of page.conversations) known.set(conversation.conversation_id, conversation);
    nextCursor = page.next_cursor;
    isComplete = !nextCursor;
    changed();
}

/** Of a user who has left. */
export function clear() {
    known.clear();
    nextCursor = null;
    isComplete = false;
}

export async function create() {
    const conversation = await chat("/conversations", { method: "POST", body: {} });
    return put(conversation);
}

export async function update(id, fields) {
    return put(await chat(`/conversations/${id}`, { method: "PATCH", body: fields }));
}

export async function remove(id) {
    try {
        await chat(`/conversations/${id}`, { method: "DELETE" });
    } catch (problem) {
        if (problem.status !== 404) throw problem;
    }
    forget(id);
}

/** Reads one again: its title and place change with its messages. */
export async function refreshed(id) {
    try {
        put(await chat(`/conversations/${id}`));
    } catch (problem) {
        if (problem.code === "conversation_not_found" && known.has(id)) forget(id);
    }
}

/** Takes over a conversation as the service told it. */
export function put(conversation) {
    if (!conversation?.conversation_id) return conversation;
    known.set(conversation.conversation_id, { ...known.get(conversation.conversation_id), ...conversation });
    changed();
    return conversation;
}

/** One that is no more, whoever deleted it. */
export function forget(id) {
    known.delete(id);
    changed();
    changes.dispatchEvent(new CustomEvent("gone", { detail: id }));
}

function changed() {
    changes.dispatchEvent(new Event("change"));
}
