// Elements are built, never parsed: text from people and models cannot become markup here.

import { icons } from "./icons.js";

const svg = "http://www.w3.org/2000/svg";

/**
 * An element with attributes and children. `on` holds listeners, `class` may be a list with gaps, a value of true is an
 * empty attribute, false, null and undefined leave it out. Children: nodes, text, lists of both; gaps are left out.
 */
export function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (name === "on") {
            for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
        } else if (name === "class") {
            element.className = [value].flat().filter(Boolean).join(" ");
        } else if (name === "value") {
            element.value = value;
        } else if (value !== false && value !== null && value !== undefined) {
            element.setAttribute(name, value === true ? "" : value);
        }
    }
    element.append(...present(children));
    return element;
}

/** Puts children in the place of those that an element has. */
export function fill(element, ...children) {
    element.replaceChildren(...present(children));
    return element;
}

function present(children) {
    return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** One of the page's pictures; decoration, the words stand beside it. */
export function icon(name) {
    const shapes = icons[name].map(([tag, attributes]) => drawn(tag, attributes));
    return drawn("svg", { class: "icon", "aria-hidden": "true", viewBox: "0 0 24 24" }, shapes);
}

function drawn(tag, attributes, children = []) {
    const element = document.createElementNS(svg, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
}

/** A button of an icon alone; its label is read out and shown on hover. */
export function iconButton(name, label, { small = false, ...attributes } = {}) {
    return h(
        "button",
        {
            type: "button",
            title: label,
            "aria-label": label,
            ...attributes,
            class: ["icon-button", small && "icon-button-small", attributes.class],
        },
        icon(name),
    );
}

let counter = 0;

/** An id that no other element of this page has. */
export function freshID(prefix) {
    counter += 1;
    return `${prefix}-${counter}`;
}

/** Calls `action` once, `milliseconds` after the last of several calls. */
export function settled(milliseconds, action) {
    let timer;
    return (...values) => {
        clearTimeout(timer);
        timer = setTimeout(() => action(...values), milliseconds);
    };
}
