// What an OpenAPI 3.1 document means: references followed, schemas in words, examples as text.

/** This deep the members of members are listed. */
const depthMax = 3;

export class DocumentReader {
    #document;

    constructor(document) {
        this.#document = document;
    }

    /** What a reference stands for; anything else as it is. */
    resolved(value) {
        let found = value;
        for (let step = 0; found?.$ref && step < 16; step += 1) {
            found = found.$ref
                .replace(/^#\//, "")
                .split("/")
                .reduce((part, key) => part?.[key.replace(/~1/g, "/").replace(/~0/g, "~")], this.#document);
        }
        return found ?? {};
    }

    /** A type in a few words: "integer, 1 to 200". */
    typeText(reference) {
        const schema = this.resolved(reference);
        if (schema.const !== undefined) return JSON.stringify(schema.const);
        if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
        const alternatives = schema.oneOf ?? schema.anyOf;
        if (alternatives) return alternatives.map((one) => this.typeText(one)).join(" | ");
        const types = [schema.type ?? (schema.properties ? "object" : "any")].flat();
        const names = types.map((type) => (type === "array" ? `${this.typeText(schema.items)}[]` : type));
        return [names.join(" | "), schema.format, rangeText(schema)].filter(Boolean).join(", ");
    }

    /** The members of an object, those of its members after them: `{ name, type, isRequired, description, depth }`. */
    members(reference, depth = 0) {
        const schema = this.#object(reference);
        if (!schema || depth > depthMax) return [];
        const required = new Set(schema.required ?? []);
        return Object.entries(schema.properties).flatMap(([name, value]) => {
            const { description } = this.resolved(value);
            const own = {
                name,
                type: this.typeText(value),
                isRequired: required.has(name),
                description: value.description ?? description ?? "",
                depth,
            };
            return [own, ...this.members(value, depth + 1)];
        });
    }

    /** The object that a schema describes, also as one of several or as an item. */
    #object(reference) {
        const schema = this.resolved(reference);
        if (schema.properties) return schema;
        if (schema.allOf) {
            const parts = schema.allOf.map((one) => this.#object(one)).filter(Boolean);
            return {
                properties: Object.assign({}, ...parts.map(({ properties }) => properties)),
                required: parts.flatMap(({ required }) => required ?? []),
            };
        }
        const inner = schema.items ?? (schema.oneOf ?? schema.anyOf)?.find((one) => this.#object(one));
        return inner ? this.#object(inner) : null;
    }
}

function rangeText({ minimum, maximum, minLength, maxLength, minItems, maxItems }) {
    const ends = [minimum ?? minLength ?? minItems, maximum ?? maxLength ?? maxItems];
    if (ends[0] !== undefined && ends[1] !== undefined) return `${ends[0]} to ${ends[1]}`;
    if (ends[0] !== undefined) return `at least ${ends[0]}`;
    return ends[1] === undefined ? "" : `at most ${ends[1]}`;
}

/** The first example of a body as text; null when there is none. */
export function exampleOf(media, reader) {
    const named = Object.values(media.examples ?? {})[0];
    const value = media.example ?? reader.resolved(named ?? {}).value ?? reader.resolved(media.schema ?? {}).examples?.[0];
    if (value === undefined) return null;
    return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
