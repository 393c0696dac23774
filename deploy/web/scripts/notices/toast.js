// A short confirmation that needs no answer.

import { h } from "../dom.js";
import { announce } from "./announcer.js";

const shownMilliseconds = 4000;
const shownMax = 3;

export function toast(text) {
    const list = document.getElementById("toasts");
    const element = h("div", { class: "toast" }, text);
    while (list.children.length >= shownMax) list.firstChild.remove();
    list.append(element);
    announce(text);
    setTimeout(() => element.remove(), shownMilliseconds);
}
