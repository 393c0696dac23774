// The sign of the product: two people speaking, drawn from the sprite.

import { icon } from "./dom.js";

export function mark() {
    const element = icon("mark");
    element.classList.add("mark");
    return element;
}
