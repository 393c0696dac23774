// The pictures of the page, each a few lines in a square of 24. They are part of the script, so they are there without a
// network too, when a picture tells of that.

const path = (d, attributes) => ["path", { d, ...attributes }];
const circle = (cx, cy, r) => ["circle", { cx, cy, r }];
const rect = (x, y, width, height, rx, attributes) => ["rect", { x, y, width, height, rx, ...attributes }];

/** The shapes of a picture: pairs of an element and its attributes. */
export const icons = {
    mark: [
        path("M3 11.5C3 7.4 6.4 4 10.5 4h1.6M3 11.5V19l3.6-2.4M21 12.5c0 4.1-3.4 7.5-7.5 7.5h-1.6M21 12.5V5l-3.6 2.4M8.5 12h7"),
    ],
    compose: [
        path("M12 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-6M18.5 3.5a2.1 2.1 0 0 1 3 3L13 15l-4 1 1-4z", { transform: "translate(-.5 .5)" }),
    ],
    search: [circle(11, 11, 6.5), path("m20 20-4.3-4.3")],
    more: [path("M5.5 12h.01M12 12h.01M18.5 12h.01", { "stroke-width": 2.6 })],
    close: [path("m6 6 12 12M18 6 6 18")],
    menu: [path("M4 7h16M4 12h16M4 17h10")],
    send: [path("M12 19V5M5.5 11.5 12 5l6.5 6.5")],
    stop: [rect(7, 7, 10, 10, 1.5, { fill: "currentColor" })],
    attach: [
        path("m20 11.5-8.2 8.2a5 5 0 0 1-7.1-7.1L13 4.3a3.3 3.3 0 0 1 4.7 4.7l-8.3 8.3a1.7 1.7 0 0 1-2.3-2.4l7.6-7.6"),
    ],
    copy: [rect(9, 9, 11, 11, 2), path("M5.5 15H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1h9a1 1 0 0 1 1 1v.5")],
    check: [path("m5 12.5 4.5 4.5L19 7.5")],
    retry: [path("M20 11.5A8 8 0 1 0 18 17.3M20 5v6.5h-6.5")],
    alert: [circle(12, 12, 8.5), path("M12 8v4.5M12 16h.01")],
    offline: [
        path("m4 4 16 16M8.6 14.4a5 5 0 0 1 5.6-1M5.2 11a10 10 0 0 1 3.8-2.3M18.8 11a10 10 0 0 0-6.3-2.9M12 18.5h.01"),
    ],
    clock: [circle(12, 12, 8.5), path("M12 7.5V12l3 2")],
    edit: [path("M16.5 4.5a2.1 2.1 0 0 1 3 3L8 19l-4 1 1-4z")],
    trash: [path("M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10 11v5M14 11v5")],
    file: [
        path("M13.5 3.5H7a1.5 1.5 0 0 0-1.5 1.5v14A1.5 1.5 0 0 0 7 20.5h10a1.5 1.5 0 0 0 1.5-1.5V8.5zM13.5 3.5v5h5M9 13h6M9 16.5h4"),
    ],
    image: [rect(4, 4.5, 16, 15, 2), circle(9, 9.5, 1.5), path("m4.5 17 4.5-4.5 3.5 3.5 2.5-2.5 4.5 4.5")],
    down: [path("M12 5v14M5.5 12.5 12 19l6.5-6.5")],
    left: [path("m14.5 7-5 5 5 5")],
    right: [path("m9.5 7 5 5-5 5")],
    sun: [
        circle(12, 12, 4),
        path("M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4"),
    ],
    moon: [path("M20 14.3A8.3 8.3 0 0 1 9.7 4 8.3 8.3 0 1 0 20 14.3z")],
    eye: [path("M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"), circle(12, 12, 2.8)],
    "eye-off": [
        path("M4.5 8.5A17 17 0 0 0 2.5 12S6 18.5 12 18.5a9 9 0 0 0 4-.9M9 6a9 9 0 0 1 3-.5c6 0 9.5 6.5 9.5 6.5a17 17 0 0 1-2.4 3.2M4 4l16 16M10 10a2.8 2.8 0 0 0 4 4"),
    ],
    gear: [path("M4 7h9M17 7h3M4 17h3M11 17h9"), circle(15, 7, 2), circle(9, 17, 2)],
    code: [path("m8.5 7.5-5 4.5 5 4.5M15.5 7.5l5 4.5-5 4.5")],
    leave: [path("M10 4H6a1.5 1.5 0 0 0-1.5 1.5v13A1.5 1.5 0 0 0 6 20h4M15.5 8l4 4-4 4M19.5 12H10")],
    device: [rect(3.5, 5, 17, 11.5, 1.5), path("M8.5 20h7M12 16.5V20")],
    shield: [path("M12 3.5 5 6v5.5c0 4.3 2.9 7.5 7 9 4.1-1.5 7-4.7 7-9V6zM9 12l2.2 2.2L15.2 10")],
};
