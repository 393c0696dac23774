// Files with the progress of their sending, which only XMLHttpRequest tells.

import { reportLost, reportReached } from "./connection.js";
import { offline, Problem } from "./problem.js";

/**
 * Sends a form.
 *
 * @param {(share: number) => void} onProgress 0 to 1
 * @param {AbortSignal} signal stops it
 * @returns {Promise<object>} the answer's JSON
 * @throws {Problem} also `aborted`
 */
export function upload(url, form, { token, key, onProgress, signal }) {
    return new Promise((resolve, reject) => {
        // A signal that was given before tells of it no more.
        if (signal.aborted) return reject(aborted());
        const request = new XMLHttpRequest();
        const sentAt = performance.now();
        request.open("POST", url);
        request.setRequestHeader("Authorization", `Bearer ${token}`);
        request.setRequestHeader("Idempotency-Key", key);
        request.upload.addEventListener("progress", (event) => {
            if (event.lengthComputable) onProgress(event.loaded / event.total);
        });
        request.addEventListener("load", () => {
            reportReached(sentAt);
            const body = parsed(request.responseText);
            if (request.status >= 200 && request.status < 300) return resolve(body);
            const headers = new Headers();
            const wait = request.getResponseHeader("Retry-After");
            if (wait) headers.set("Retry-After", wait);
            reject(new Problem(request.status, body, headers));
        });
        // A refusal that closes the connection while the bytes are still on their way looks like a lost connection.
        request.addEventListener("error", () => {
            reportLost();
            reject(offline());
        });
        request.addEventListener("abort", () => reject(aborted()));
        signal.addEventListener("abort", () => request.abort(), { once: true });
        request.send(form);
    });
}

const aborted = () => new Problem(0, { code: "aborted" });

function parsed(text) {
    try {
        return JSON.parse(text) ?? {};
    } catch {
        return {};
    }
}
