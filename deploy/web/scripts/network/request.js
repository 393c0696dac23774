// Calls of the two services: JSON in, JSON out, problems thrown.

import { reportLost, reportReached } from "./connection.js";
import { offline, Problem, problemOf } from "./problem.js";

const timeoutMilliseconds = 30_000;

/** What puts the access token on a call and renews it; the session sets it, so that this module needs no session. */
let authority = null;
export const setAuthority = (value) => {
    authority = value;
};

export const auth = (path, options) => call(`/api/auth${path}`, options);
export const chat = (path, options) => call(`/api/chat${path}`, options);

/**
 * One call. Options: `method`, `body` (sent as JSON), `headers`, `signal`, `isOpen` (no token needed),
 * `isStreamed` (the Response itself is given back, without a limit of time).
 *
 * @returns the JSON of the answer, null for an empty one; for a stream the Response.
 * @throws {Problem}
 */
export async function call(url, options = {}) {
    const token = options.isOpen ? null : await authority.token();
    const response = await send(url, options, token);
    if (response.status === 401 && token && (await isTokenRefused(response))) {
        return answer(await send(url, options, await authority.renewed(token)), options);
    }
    return answer(response, options);
}

async function send(url, { method = "GET", body, headers = {}, signal, isStreamed = false }, token) {
    const fields = { Accept: "application/json", ...headers };
    if (token) fields.Authorization = `Bearer ${token}`;
    if (body !== undefined) fields["Content-Type"] = "application/json";
    const limit = isStreamed ? [] : [AbortSignal.timeout(timeoutMilliseconds)];
    const signals = signal ? [signal, ...limit] : limit;
    const sentAt = performance.now();
    try {
        const response = await fetch(url, {
            method,
            headers: fields,
            body: body === undefined ? undefined : JSON.stringify(body),
            signal: signals.length > 0 ? AbortSignal.any(signals) : undefined,
            cache: "no-store",
        });
        reportReached(sentAt);
        return response;
    } catch (error) {
        if (signal?.aborted) throw error;
        reportLost();
        throw offline();
    }
}

async function answer(response, { isStreamed = false }) {
    if (response.status === 304) return null;
    if (!response.ok) throw await problemOf(response);
    if (isStreamed) return response;
    try {
        const text = await response.text();
        return text ? JSON.parse(text) : null;
    } catch {
        throw new Problem(response.status, { code: "internal_error" });
    }
}

/** A wrong password is a 401 too: only a refused token is answered with a new one. */
async function isTokenRefused(response) {
    const body = await response.clone().json().catch(() => ({}));
    return body?.code === "invalid_token" || body?.code === "missing_token";
}

/** A key for a call that must have its effect once, however often it is sent. */
export function idempotencyKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
