// The sign of the product: two people speaking.

import { icon } from "./dom.js";

export function mark() {
    const element = icon("mark");
    element.classList.add("mark");
    return element;
}
