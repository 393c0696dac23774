// The codewords of a QR symbol (ISO/IEC 18004, sections 7.4 and 7.5): data, padding, and Reed-Solomon over GF(256).

/** Of level L, by version from 1. */
const correctionOfBlock = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28];
const blocksOfVersion = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8];

/** The smallest version that holds the bytes, and its codewords in their order; null when none does. */
export function encoded(bytes) {
    for (let version = 1; version <= blocksOfVersion.length; version += 1) {
        const blocks = blocksOfVersion[version - 1];
        const correction = correctionOfBlock[version - 1];
        const total = codewordsOf(version);
        const capacity = total - blocks * correction;
        const headBits = 4 + (version < 10 ? 8 : 16);
        if (headBits + bytes.length * 8 > capacity * 8) continue;
        const data = dataCodewords(bytes, headBits - 4, capacity);
        return { version, codewords: interleaved(data, { total, blocks, correction }) };
    }
    return null;
}

/** How many codewords fit between the patterns. */
function codewordsOf(version) {
    let modules = (16 * version + 128) * version + 64;
    if (version >= 2) {
        const count = Math.floor(version / 7) + 2;
        modules -= (25 * count - 10) * count - 55;
        if (version >= 7) modules -= 36;
    }
    return Math.floor(modules / 8);
}

function dataCodewords(bytes, lengthBits, capacity) {
    const bits = [];
    const add = (value, count) => {
        for (let i = count - 1; i >= 0; i -= 1) bits.push((value >> i) & 1);
    };
    add(0b0100, 4);
    add(bytes.length, lengthBits);
    for (const byte of bytes) add(byte, 8);
    add(0, Math.min(4, capacity * 8 - bits.length));
    add(0, (8 - (bits.length % 8)) % 8);
    const words = [];
    for (let i = 0; i < bits.length; i += 8) words.push(Number.parseInt(bits.slice(i, i + 8).join(""), 2));
    for (let pad = 0xec; words.length < capacity; pad ^= 0xec ^ 0x11) words.push(pad);
    return words;
}

/** Blocks of nearly equal length, read across; the short ones come first. */
function interleaved(data, { total, blocks, correction }) {
    const shortCount = blocks - (total % blocks);
    const shortLength = Math.floor(total / blocks) - correction;
    const divisor = generator(correction);
    const parts = [];
    let start = 0;
    for (let i = 0; i < blocks; i += 1) {
        const length = shortLength + (i < shortCount ? 0 : 1);
        const words = data.slice(start, start + length);
        start += length;
        parts.push({ words, check: remainder(words, divisor) });
    }
    const result = [];
    for (let i = 0; i <= shortLength; i += 1) for (const { words } of parts) if (i < words.length) result.push(words[i]);
    for (let i = 0; i < correction; i += 1) for (const { check } of parts) result.push(check[i]);
    return result;
}

function multiplied(one, other) {
    let product = 0;
    for (let i = 7; i >= 0; i -= 1) {
        product = (product << 1) ^ ((product >> 7) * 0x11d);
        product ^= ((other >> i) & 1) * one;
    }
    return product;
}

/** The polynomial whose roots are the first powers of 2, without its leading term. */
function generator(degree) {
    const result = new Array(degree - 1).fill(0).concat(1);
    let root = 1;
    for (let i = 0; i < degree; i += 1) {
        for (let j = 0; j < degree; j += 1) {
            result[j] = multiplied(result[j], root) ^ (result[j + 1] ?? 0);
        }
        root = multiplied(root, 2);
    }
    return result;
}

function remainder(data, divisor) {
    const result = new Array(divisor.length).fill(0);
    for (const word of data) {
        const factor = word ^ result.shift();
        result.push(0);
        for (const [i, term] of divisor.entries()) result[i] ^= multiplied(term, factor);
    }
    return result;
}
