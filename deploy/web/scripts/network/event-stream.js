// Server-sent events (WHATWG HTML, section 9.2) over fetch, because EventSource cannot send an Authorization field.

/**
 * The events of a body, as they come.
 *
 * @param {Response} response
 * @param {() => void} [onBytes] called for whatever arrives, comments too: a sign of life
 * @returns {AsyncGenerator<{name: string, data: string, id: string}>}
 */
export async function* events(response, onBytes = () => {}) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventParser();
    try {
        for (;;) {
            const { value, done } = await reader.read();
            if (done) return;
            onBytes();
            yield* parser.add(value);
        }
    } finally {
        reader.cancel().catch(() => {});
    }
}

/** Cuts text at line ends and lines at the empty ones; the last id stays until the next. */
export class EventParser {
    #rest = "";
    #name = "";
    #data = [];
    #id = "";
    #toldID = "";

    *add(text) {
        const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
        this.#rest = lines.pop();
        for (const line of lines) {
            const event = this.#line(line);
            if (event) yield event;
        }
    }

    #line(line) {
        if (line === "") return this.#dispatched();
        const colon = line.indexOf(":");
        if (colon === 0) return null;
        const field = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (field === "event") this.#name = value;
        if (field === "data") this.#data.push(value);
        if (field === "id") this.#id = value;
        return null;
    }

    #dispatched() {
        const event = { name: this.#name || "message", data: this.#data.join("\n"), id: this.#id };
        const isEmpty = this.#data.length === 0;
        const hasNewID = this.#id !== this.#toldID;
        this.#name = "";
        this.#data = [];
        this.#toldID = this.#id;
        // An id alone is no event, but a place to go on from.
        if (isEmpty) return hasNewID ? { name: "", data: "", id: event.id } : null;
        return event;
    }
}
