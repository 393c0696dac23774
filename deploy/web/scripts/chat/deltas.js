// Pieces of an answer that come with their place in it.

/**
 * The text with a piece at its place. The piece replaces all that was there from its place on, because an answer that
 * is begun anew may be shorter; a gap gives null. Places are counted in UTF-16 code units, as JavaScript's strings are.
 */
export function withDelta(text, { offset, text: piece }) {
    if (offset > text.length) return null;
    return text.slice(0, offset) + piece;
}
