// Sending a question, and its answer piece by piece.

import { events } from "../network/event-stream.js";
import { Problem } from "../network/problem.js";
import { chat } from "../network/request.js";
import { authority } from "../session/session.js";
import { upload } from "../network/upload.js";

/**
 * Asks and reads the answer to its end.
 *
 * @param {{conversationID: number, text: string, domain: string | null, key: string}} question `key` makes it safe to
 *     send again
 * @param {{onAccepted: (ids) => void, onText: (answerID: number, text: string) => void}} listeners
 * @returns {Promise<object>} the contract's answer of POST /chat
 * @throws {Problem} with code `interrupted` when the stream ended before the answer did
 */
export async function ask({ conversationID, text, domain, key }, { onAccepted, onText }, signal) {
    const response = await chat("/chat", {
        method: "POST",
        body: { conversation_id: conversationID, message: text, domain },
        headers: { Accept: "text/event-stream", "Idempotency-Key": key },
        isStreamed: true,
        signal,
    });
    // A repeated question is answered with what was stored.
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return response.json();
    let answerID = null;
    let answer = "";
    try {
        for await (const { name, data } of events(response)) {
            const body = JSON.parse(data);
            if (name === "accepted") {
                answerID = body.message_id;
                onAccepted(body);
            } else if (name === "delta") {
                answer += body.text;
                onText(answerID, answer);
            } else if (name === "done") {
                return body;
            } else if (name === "error") {
                throw new Problem(body.status, body);
            }
        }
    } catch (error) {
        if (error instanceof Problem) throw error;
    }
    throw new Problem(0, { code: "interrupted" });
}

/**
 * Sends a question with files.
 *
 * @param {{conversationID: number, text: string, files: File[], domain: string | null, key: string}} question
 * @returns {Promise<{message_id: number}>}
 * @throws {Problem}
 */
export async function askWithFiles({ conversationID, text, files, domain, key }, onProgress, signal) {
    const form = new FormData();
    form.append("conversation_id", String(conversationID));
    if (text) form.append("message", text);
    if (domain) form.append("domain", domain);
    for (const file of files) form.append("file", file, file.name);
    const send = async (token) => upload("/api/chat/chat/file", form, { token, key, onProgress, signal });
    const token = await authority.token();
    try {
        return await send(token);
    } catch (problem) {
        if (problem.code !== "invalid_token") throw problem;
        return send(await authority.renewed(token));
    }
}
