// Pieces of an answer that come with their place in it.

/**
 * The text with a piece at its place: pieces that were seen already change nothing, a gap gives null. Places are
 * counted in UTF-16 code units, as JavaScript's strings are.
 */
export function withDelta(text, { offset, text: piece }) {
    if (offset > text.length) return null;
    return text.slice(0, offset) + piece;
}
