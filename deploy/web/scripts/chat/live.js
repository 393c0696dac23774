// What happens in a conversation, as it happens: the stream of its events while this tab is looked at, and questions
// to the service every second or two while there is none.

import { reached } from "../network/connection.js";
import { events } from "../network/event-stream.js";
import { chat } from "../network/request.js";

/** The service writes a comment every 15 s: a stream silent for longer is dead. */
const silenceMilliseconds = 40_000;
/** A tab in the background gives its connection back: a browser has six for one origin. */
const hiddenMilliseconds = 20_000;
const pollMilliseconds = 1500;
const delayMax = 30_000;
const pollLimit = 20;

/**
 * Follows a conversation until `signal` ends it.
 *
 * @param {number} conversationID
 * @param {object} listeners
 * @param {(messages: object[], asOf?: number) => void} listeners.onMessages
 * @param {(delta: {message_id: number, offset: number, text: string}) => void} listeners.onDelta
 * @param {() => number[]} listeners.processing ids of the messages being worked on
 * @param {(conversation: object) => void} listeners.onConversation its title changed
 * @param {() => void} listeners.onGone the conversation was deleted
 */
export function follow(conversationID, listeners, signal) {
    const state = { isStreaming: false, isSupported: true, lastEventID: "" };
    const done = { signal };
    const poll = poller(conversationID, listeners, signal);
    if (signal.aborted) return { poll };
    stream(conversationID, { ...listeners, poll }, state, signal);
    const timer = setInterval(() => {
        if (!state.isStreaming && !document.hidden && listeners.processing().length > 0) poll();
    }, pollMilliseconds);
    document.addEventListener("visibilitychange", () => document.hidden || state.isStreaming || poll(), done);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    return { poll };
}

async function stream(conversationID, listeners, state, signal) {
    let delay = 1000;
    while (!signal.aborted && state.isSupported) {
        await visible(signal);
        await reached(signal);
        if (signal.aborted) return;
        const started = performance.now();
        try {
            await streamOnce(conversationID, listeners, state, signal);
        } catch (problem) {
            if (problem.code === "conversation_not_found") return listeners.onGone();
            // A service without this call: what it has to say is asked for.
            state.isSupported = problem.status !== 404 && problem.status !== 405;
            if (problem.code === "invalid_cursor") state.lastEventID = "";
            if (problem.retryAfter) delay = Math.max(delay, problem.retryAfter * 1000);
        }
        state.isStreaming = false;
        if (performance.now() - started > delayMax) delay = 1000;
        await pause(delay * (0.75 + Math.random() / 2), signal);
        delay = Math.min(delay * 2, delayMax);
    }
}

async function streamOnce(conversationID, listeners, state, signal) {
    const ending = new AbortController();
    const end = () => ending.abort();
    signal.addEventListener("abort", end, { once: true });
    const whileHidden = () => {
        clearTimeout(hidden);
        if (document.hidden) hidden = setTimeout(end, hiddenMilliseconds);
    };
    let hidden;
    let silence = setTimeout(end, silenceMilliseconds);
    document.addEventListener("visibilitychange", whileHidden);
    try {
        const headers = { Accept: "text/event-stream" };
        if (state.lastEventID) headers["Last-Event-ID"] = state.lastEventID;
        const path = `/conversations/${conversationID}/events`;
        const response = await chat(path, { headers, isStreamed: true, signal: ending.signal });
        state.isStreaming = true;
        // What happened between the reading of the history and the opening of the stream.
        if (!state.lastEventID) listeners.poll();
        const onBytes = () => {
            clearTimeout(silence);
            silence = setTimeout(end, silenceMilliseconds);
        };
        for await (const { name, data, id } of events(response, onBytes)) {
            if (id) state.lastEventID = id;
            if (name === "message") listeners.onMessages([JSON.parse(data)]);
            if (name === "delta") listeners.onDelta(JSON.parse(data));
            if (name === "conversation") listeners.onConversation(JSON.parse(data));
        }
    } finally {
        clearTimeout(hidden);
        clearTimeout(silence);
        end();
        signal.removeEventListener("abort", end);
        document.removeEventListener("visibilitychange", whileHidden);
    }
}

/** Asks for the newest messages, and for older ones that are still worked on; an unchanged page costs a 304. */
function poller(conversationID, { onMessages, processing, onGone }, signal) {
    let tag = "";
    /** What the page had that `tag` is of. */
    let known = new Set();
    const poll = async () => {
        const asOf = performance.now();
        try {
            const path = `/conversations/${conversationID}/messages?order=desc&limit=${pollLimit}`;
            const headers = tag ? { "If-None-Match": tag } : {};
            const response = await chat(path, { headers, isStreamed: true, signal });
            if (response) {
                const { messages } = await response.json();
                known = new Set(messages.map(({ id }) => id));
                onMessages(messages, asOf);
                // What was asked for before the page heard of a message is not believed, and has to be told again.
                const awaited = new Set(processing());
                const isUnheard = messages.some(({ id, status }) => status !== "processing" && awaited.has(id));
                tag = isUnheard ? "" : (response.headers.get("ETag") ?? "");
            }
            const others = processing().filter((id) => !known.has(id));
            onMessages(await Promise.all(others.map((id) => chat(`/messages/${id}`, { signal }))), asOf);
        } catch (problem) {
            if (problem.code === "conversation_not_found") onGone();
        }
    };
    return oneAtATime(poll, signal);
}

/** Who asks while `action` runs wants to know what comes after that: it runs once more, for all who asked. */
function oneAtATime(action, signal) {
    let isWanted = false;
    let running = null;
    const run = async () => {
        while (isWanted && !signal.aborted) {
            isWanted = false;
            await action();
        }
    };
    return () => {
        isWanted = true;
        running ??= run().finally(() => {
            running = null;
        });
        return running;
    };
}

function visible(signal) {
    if (!document.hidden || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
        const look = () => {
            if (document.hidden && !signal.aborted) return;
            document.removeEventListener("visibilitychange", look);
            resolve();
        };
        document.addEventListener("visibilitychange", look);
        signal.addEventListener("abort", look, { once: true });
    });
}

function pause(milliseconds, signal) {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
}
