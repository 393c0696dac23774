// What went wrong with a call: a problem of a service (RFC 9457), or no answer at all.

export class Problem extends Error {
    /**
     * @param {number} status 0 without an answer
     * @param {{code?: string, detail?: string, errors?: {field: string, detail: string}[]}} body
     * @param {Headers} [headers]
     */
    constructor(status, body, headers) {
        super(body.detail ?? body.code);
        this.status = status;
        this.code = body.code ?? "internal_error";
        this.detail = body.detail;
        this.errors = Array.isArray(body.errors) ? body.errors : [];
        this.body = body;
        this.requestID = body.request_id;
        const seconds = Number.parseInt(headers?.get("Retry-After") ?? "", 10);
        /** Seconds to wait before trying again; null when the service does not say. */
        this.retryAfter = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), 3600) : null;
    }

    /** No answer came: the network or the whole service is away. */
    get isOffline() {
        return this.code === "offline";
    }

    /** Too much at once, here or there: the same call may succeed later. */
    get isOverload() {
        return this.status === 429 || this.status === 503;
    }
}

/** No answer. */
export const offline = () => new Problem(0, { code: "offline" });

/** The problem that an answer of 400 or above carries. */
export async function problemOf(response) {
    const body = await response.json().catch(() => ({}));
    return new Problem(response.status, body ?? {}, response.headers);
}
