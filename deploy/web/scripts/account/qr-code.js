// A QR code (ISO/IEC 18004) of a short text: byte mode, error correction level L, versions 1 to 20. Made here, because
// the secret in it must not be sent anywhere to become a picture.

import { encoded } from "./qr-codewords.js";

const svgNamespace = "http://www.w3.org/2000/svg";
const quietZone = 4;

/** The code as a picture; null for a text that is too long. */
export function qrCode(text, label) {
    const symbol = encoded(new TextEncoder().encode(text));
    if (!symbol) return null;
    const grid = new Grid(symbol.version);
    grid.drawPatterns();
    grid.drawData(symbol.codewords);
    grid.mask();
    return picture(grid, label);
}

function picture({ size, isDark }, label) {
    const path = [];
    for (let y = 0; y < size; y += 1) {
        for (let x = 0; x < size; x += 1) if (isDark[y][x]) path.push(`M${x} ${y}h1v1h-1z`);
    }
    const svg = document.createElementNS(svgNamespace, "svg");
    const side = size + 2 * quietZone;
    svg.setAttribute("viewBox", `${-quietZone} ${-quietZone} ${side} ${side}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
    const shape = document.createElementNS(svgNamespace, "path");
    shape.setAttribute("d", path.join(""));
    svg.append(shape);
    return svg;
}

/** The modules of a symbol; `isFixed` are those that hold no data. */
export class Grid {
    constructor(version) {
        this.version = version;
        this.size = 17 + 4 * version;
        this.isDark = Array.from({ length: this.size }, () => new Array(this.size).fill(false));
        this.isFixed = Array.from({ length: this.size }, () => new Array(this.size).fill(false));
    }

    drawPatterns() {
        for (let i = 0; i < this.size; i += 1) {
            this.#fix(6, i, i % 2 === 0);
            this.#fix(i, 6, i % 2 === 0);
        }
        for (const [x, y] of [[3, 3], [this.size - 4, 3], [3, this.size - 4]]) this.#finder(x, y);
        const places = this.#alignments();
        const last = places.length - 1;
        for (const [i, x] of places.entries()) {
            for (const [j, y] of places.entries()) {
                const isFinder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
                if (!isFinder) this.#ring(x, y, 2, (distance) => distance !== 1);
            }
        }
        this.#format(0);
        this.#versionBits();
    }

    /** In columns of two, upwards and downwards in turn, from the right. */
    drawData(codewords) {
        let index = 0;
        for (let right = this.size - 1; right >= 1; right -= 2) {
            if (right === 6) right = 5;
            for (let step = 0; step < this.size; step += 1) {
                const isUpward = ((right + 1) & 2) === 0;
                const y = isUpward ? this.size - 1 - step : step;
                for (const x of [right, right - 1]) {
                    if (this.isFixed[y][x] || index >= codewords.length * 8) continue;
                    this.isDark[y][x] = ((codewords[index >> 3] >> (7 - (index & 7))) & 1) === 1;
                    index += 1;
                }
            }
        }
    }

    /** Mask 0 alone: any of the eight is valid, the others only read a little better. */
    mask() {
        for (let y = 0; y < this.size; y += 1) {
            for (let x = 0; x < this.size; x += 1) {
                if (!this.isFixed[y][x] && (x + y) % 2 === 0) this.isDark[y][x] = !this.isDark[y][x];
            }
        }
    }

    #fix(x, y, isDark) {
        this.isDark[y][x] = isDark;
        this.isFixed[y][x] = true;
    }

    #ring(x, y, radius, isDarkAt) {
        for (let dy = -radius; dy <= radius; dy += 1) {
            for (let dx = -radius; dx <= radius; dx += 1) {
                const [column, row] = [x + dx, y + dy];
                if (column < 0 || row < 0 || column >= this.size || row >= this.size) continue;
                this.#fix(column, row, isDarkAt(Math.max(Math.abs(dx), Math.abs(dy))));
            }
        }
    }

    #finder(x, y) {
        this.#ring(x, y, 4, (distance) => distance !== 2 && distance !== 4);
    }

    #alignments() {
        if (this.version === 1) return [];
        const count = Math.floor(this.version / 7) + 2;
        const step = Math.floor((this.version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
        const places = [6];
        for (let place = this.size - 7; places.length < count; place -= step) places.splice(1, 0, place);
        return places;
    }

    /** Level and mask with their BCH code (15, 5). */
    #format(mask) {
        const data = (1 << 3) | mask;
        let rest = data;
        for (let i = 0; i < 10; i += 1) rest = (rest << 1) ^ ((rest >> 9) * 0x537);
        const bits = ((data << 10) | rest) ^ 0x5412;
        const bit = (i) => ((bits >> i) & 1) === 1;
        for (let i = 0; i <= 5; i += 1) this.#fix(8, i, bit(i));
        this.#fix(8, 7, bit(6));
        this.#fix(8, 8, bit(7));
        this.#fix(7, 8, bit(8));
        for (let i = 9; i < 15; i += 1) this.#fix(14 - i, 8, bit(i));
        for (let i = 0; i < 8; i += 1) this.#fix(this.size - 1 - i, 8, bit(i));
        for (let i = 8; i < 15; i += 1) this.#fix(8, this.size - 15 + i, bit(i));
        this.#fix(8, this.size - 8, true);
    }

    /** The version with its BCH code (18, 6), from version 7 on. */
    #versionBits() {
        if (this.version < 7) return;
        let rest = this.version;
        for (let i = 0; i < 12; i += 1) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
        const bits = (this.version << 12) | rest;
        for (let i = 0; i < 18; i += 1) {
            const isDark = ((bits >> i) & 1) === 1;
            const [far, near] = [this.size - 11 + (i % 3), Math.floor(i / 3)];
            this.#fix(far, near, isDark);
            this.#fix(near, far, isDark);
        }
    }
}
