// What can be measured of WCAG 2.2 in a page as it stands: gives back complaints. Runs in the page, as a test's script.

const complaints = [];
const describe = (element) => {
    const text = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().slice(0, 40);
    return `<${element.localName} class="${element.getAttribute("class") ?? ""}"> ${text}`;
};

function isShown(element) {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    if (element.closest("[inert], .unseen")) return false;
    const box = element.getBoundingClientRect();
    return box.width > 1 && box.height > 1;
}

// Contrast (1.4.3, 1.4.11): the colour of text against what is painted behind it.
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function rgba(colour) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
}
const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
function ground(element) {
    const layers = [];
    for (let node = element; node; node = node.parentElement) {
        const colour = rgba(getComputedStyle(node).backgroundColor);
        if (colour[3] > 0) layers.push(colour);
        if (colour[3] === 1) break;
    }
    return layers.reduceRight((below, above) => over(above, below), [255, 255, 255, 1]);
}
function luminance([r, g, b]) {
    const [x, y, z] = [r, g, b].map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}
function contrast(one, other) {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
}

const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || /^(script|style|noscript|option)$/.test(element.localName)) continue;
    if (!isShown(element) || element.closest(":disabled, [aria-disabled=true]")) continue;
    const style = getComputedStyle(element);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const behind = ground(element);
    const ratio = contrast(over(rgba(style.color), behind), behind);
    if (ratio < (isLarge ? 3 : 4.5)) complaints.push(`contrast ${ratio.toFixed(2)}: ${describe(element)}`);
}
for (const field of document.querySelectorAll("input:not([type=radio], [type=file]), textarea")) {
    if (!isShown(field)) continue;
    const style = getComputedStyle(field);
    const behind = ground(field);
    const ratio = contrast(over(rgba(style.color), behind), behind);
    if (ratio < 4.5) complaints.push(`contrast of a field ${ratio.toFixed(2)}: ${describe(field)}`);
    const frame = field.closest(".composer") ?? field;
    const border = rgba(getComputedStyle(frame).borderTopColor);
    const isFilled = contrast(ground(frame), ground(frame.parentElement)) > 1.05 && frame.type === "search";
    const outer = ground(frame.parentElement);
    if (!isFilled && !field.readOnly && contrast(over(border, outer), outer) < 3) {
        complaints.push(`border of a field: ${describe(field)}`);
    }
}

// Names (4.1.2), targets (2.5.8), order (2.4.3).
const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role^=menuitem], [tabindex]";
for (const element of document.querySelectorAll(controls)) {
    if (!isShown(element)) continue;
    if (element.tabIndex > 0) complaints.push(`tabindex ${element.tabIndex}: ${describe(element)}`);
    const isInline = element.localName === "a" && getComputedStyle(element).display === "inline";
    const box = (element.closest("label") ?? element).getBoundingClientRect();
    if (!isInline && (box.width < 24 || box.height < 24)) {
        complaints.push(`target ${Math.round(box.width)}×${Math.round(box.height)}: ${describe(element)}`);
    }
}

// Structure (1.3.1, 2.4.1, 2.4.3, 3.1.1).
const shown = (selector) => [...document.querySelectorAll(selector)].filter(isShown);
const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) complaints.push(`id ${id} twice`);
for (const name of ["aria-labelledby", "aria-describedby", "aria-controls"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
        for (const id of element.getAttribute(name).split(/\s+/)) {
            if (!document.getElementById(id)) complaints.push(`${name}=${id} leads nowhere: ${describe(element)}`);
        }
    }
}
if (!document.documentElement.lang) complaints.push("the page has no language");
if (!document.title.trim()) complaints.push("the page has no title");
if (!document.querySelector("dialog[open]")) {
    if (document.querySelectorAll("main").length !== 1) complaints.push("not exactly one main");
    if (shown("h1").length !== 1 && !document.querySelector("main[inert]")) complaints.push(`${shown("h1").length} h1`);
}
for (const dialog of document.querySelectorAll("dialog[open]")) {
    if (!dialog.contains(document.activeElement)) complaints.push(`the focus is not in ${describe(dialog)}`);
}
let level = 0;
for (const heading of shown("main :is(h1, h2, h3, h4, h5, h6)")) {
    const next = Number(heading.localName[1]);
    if (next > level + 1 && !heading.closest(".prose")) complaints.push(`h${next} after h${level}: ${describe(heading)}`);
    level = next;
}
for (const list of document.querySelectorAll("ul, ol")) {
    if ([...list.children].some(({ localName }) => localName !== "li")) complaints.push(`list of others: ${describe(list)}`);
}

// Nothing is cut off or has to be scrolled sideways (1.4.10).
const { scrollWidth } = document.documentElement;
if (scrollWidth > innerWidth) complaints.push(`${scrollWidth} pixels in a window of ${innerWidth}`);
for (const element of shown("button, a, h1, h2, label, input, .composer, .bubble, .answer")) {
    const box = element.getBoundingClientRect();
    if (box.left < -1 || box.right > innerWidth + 1) complaints.push(`outside of the window: ${describe(element)}`);
}

// What scrolls can be scrolled by the keyboard (2.1.1).
for (const element of shown("main *, dialog *")) {
    const { overflowX, overflowY } = getComputedStyle(element);
    const scrolls =
        (/auto|scroll/.test(overflowX) && element.scrollWidth > element.clientWidth + 1) ||
        (/auto|scroll/.test(overflowY) && element.scrollHeight > element.clientHeight + 1);
    const isReachable = element.tabIndex >= 0 || element.querySelector("a[href], button, input, [tabindex='0']");
    if (scrolls && !isReachable) complaints.push(`scrolls, but not by the keyboard: ${describe(element)}`);
}
return complaints;
