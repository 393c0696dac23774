// A menu that a button opens (WAI-ARIA Authoring Practices, "Menu Button").

import { h, icon } from "../dom.js";

let open = null;

/**
 * Makes `button` open a menu.
 *
 * @param {HTMLButtonElement} button
 * @param {() => ({icon?: string, label: string, onChoose?: () => void, href?: string, isDangerous?: boolean,
 *     isChecked?: boolean} | null)[]} items asked each time it opens; null is a line
 */
export function attachMenu(button, items) {
    button.setAttribute("aria-haspopup", "menu");
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => (open?.button === button ? close(true) : show(button, items())));
    button.addEventListener("keydown", (event) => {
        if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
        event.preventDefault();
        show(button, items(), event.key === "ArrowUp");
    });
}

function show(button, items, isFromEnd = false) {
    close(false);
    const element = h("div", { class: "menu", role: "menu", "aria-label": button.getAttribute("aria-label") });
    element.append(...items.map((item) => (item ? itemElement(item) : h("hr", { role: "separator" }))));
    document.body.append(element);
    place(element, button);
    button.setAttribute("aria-expanded", "true");
    open = { button, element };
    const entries = entriesOf(element);
    entries.at(isFromEnd ? -1 : 0)?.focus();
    element.addEventListener("keydown", move);
    element.addEventListener("click", (event) => {
        const entry = event.target.closest("[role^=menuitem]");
        if (!entry) return;
        const chosen = items.filter(Boolean)[entries.indexOf(entry)];
        // First the way back of the focus, then what may take it: a dialog gives it back to where it was.
        close(true);
        chosen.onChoose?.();
    });
}

function itemElement(item) {
    const attributes = {
        role: item.isChecked === undefined ? "menuitem" : "menuitemradio",
        "aria-checked": item.isChecked === undefined ? null : String(item.isChecked),
        tabindex: "-1",
        class: item.isDangerous && "menu-danger",
    };
    const content = [item.icon && icon(item.icon), h("span", {}, item.label)];
    if (item.href) return h("a", { ...attributes, href: item.href, "data-view": item.isView }, content);
    return h("button", { ...attributes, type: "button" }, content);
}

const entriesOf = (element) => [...element.querySelectorAll("[role^=menuitem]")];

function move(event) {
    const entries = entriesOf(open.element);
    const now = entries.indexOf(document.activeElement);
    const steps = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: entries.length - 1 };
    if (event.key in steps) {
        event.preventDefault();
        entries.at(steps[event.key] % entries.length).focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
        if (event.key === "Escape") event.preventDefault();
        event.stopPropagation();
        close(true);
    } else if (event.key.length === 1) {
        const letter = event.key.toLocaleLowerCase();
        entries.find((entry) => entry.textContent.toLocaleLowerCase().startsWith(letter))?.focus();
    }
}

function close(returnsFocus) {
    if (!open) return;
    const { button, element } = open;
    open = null;
    element.remove();
    button.setAttribute("aria-expanded", "false");
    if (returnsFocus && button.isConnected) button.focus();
}

/** Below the button and in line with its end, above it where there is no room. */
function place(element, button) {
    const anchor = button.getBoundingClientRect();
    const size = element.getBoundingClientRect();
    const left = Math.min(Math.max(8, anchor.right - size.width), innerWidth - size.width - 8);
    const isBelow = anchor.bottom + size.height + 8 < innerHeight;
    element.style.left = `${Math.max(8, left)}px`;
    element.style.top = `${isBelow ? anchor.bottom + 4 : Math.max(8, anchor.top - size.height - 4)}px`;
}

document.addEventListener("pointerdown", (event) => {
    if (open && !open.element.contains(event.target) && !open.button.contains(event.target)) close(false);
});
addEventListener("resize", () => close(false));
