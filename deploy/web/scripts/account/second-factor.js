// A second factor for signing in: turning it on, its recovery codes, turning it off.

import { fill, h, icon } from "../dom.js";
import { auth } from "../network/request.js";
import { dialog } from "../notices/dialog.js";
import { field } from "../notices/form.js";
import { toast } from "../notices/toast.js";
import { copyText } from "../chat/clipboard.js";
import { problemText, t } from "../words.js";
import { section } from "./account.js";
import { qrCode } from "./qr-code.js";

export function secondFactorSection() {
    const place = h("div", { class: "stack" }, h("span", { class: "bone bone-half" }));
    const load = async () => {
        try {
            const { enabled, recovery_codes_left: left } = await auth("/api/totp");
            fill(place, enabled ? onState(left, load) : offState(load));
        } catch (problem) {
            if (problem.status === 404) return element.remove();
            const again = h("button", { type: "button", class: "button-link", on: { click: load } }, t("banner.try"));
            fill(place, h("p", { class: "notice" }, problemText(problem), " ", again));
        }
    };
    load();
    const element = section("secondFactor", place);
    return element;
}

function offState(onChanged) {
    const button = h("button", { type: "button", class: "button button-quiet" }, t("secondFactor.turnOn"));
    button.addEventListener("click", async () => {
        const proposed = await propose();
        if (proposed && (await confirm(proposed))) onChanged();
    });
    return [h("p", { class: "soft" }, t("secondFactor.off")), button];
}

function onState(codesLeft, onChanged) {
    const button = h("button", { type: "button", class: "button button-quiet" }, t("secondFactor.turnOff"));
    button.addEventListener("click", async () => (await turnOff()) && onChanged());
    return [
        h("p", { class: "notice notice-good" }, icon("check"), t("secondFactor.on", { n: codesLeft })),
        button,
    ];
}

/** Shows a problem beside the field that it is about. */
function beside(entry, ...codes) {
    return (problem) => {
        if (!codes.includes(problem.code)) return false;
        entry.showError(problemText(problem));
        entry.input.select();
        return true;
    };
}

async function propose() {
    let proposed = null;
    const password = field({
        name: "password",
        label: t("form.password"),
        type: "password",
        autocomplete: "current-password",
    });
    await dialog({
        title: t("secondFactor.turnOn"),
        body: [h("p", {}, t("secondFactor.passwordNote")), password.element],
        confirm: t("dialog.next"),
        onConfirm: async () => {
            proposed = await auth("/api/totp", { method: "POST", body: { password: password.input.value } });
        },
        onProblem: beside(password, "invalid_password"),
    });
    return proposed;
}

async function confirm({ secret, otpauth_uri: address }) {
    let codes = null;
    const code = codeField();
    await dialog({
        title: t("secondFactor.scanTitle"),
        body: [
            h("p", {}, t("secondFactor.scan")),
            h("div", { class: "qr" }, qrCode(address, t("secondFactor.qr"))),
            h("p", { class: "secret" }, t("secondFactor.type"), " ", h("code", {}, grouped(secret))),
            code.element,
        ],
        confirm: t("secondFactor.submit"),
        onConfirm: async () => {
            const body = { totp: code.input.value.trim() };
            codes = (await auth("/api/totp/confirm", { method: "POST", body })).recovery_codes;
        },
        onProblem: beside(code, "invalid_totp", "totp_required"),
    });
    if (!codes) return false;
    await showCodes(codes);
    return true;
}

async function showCodes(codes) {
    const copy = h("button", { type: "button", class: "button button-quiet" }, icon("copy"), t("secondFactor.copyCodes"));
    copy.addEventListener("click", async () => (await copyText(codes.join("\n"))) && toast(t("answer.copied")));
    await dialog({
        title: t("secondFactor.codesTitle"),
        body: [
            h("p", {}, t("secondFactor.codesNote")),
            h("ul", { class: "codes" }, codes.map((code) => h("li", {}, h("code", {}, code)))),
            copy,
        ],
        confirm: t("secondFactor.codesKept"),
        onConfirm: async () => {},
    });
}

async function turnOff() {
    const code = codeField();
    const isOff = await dialog({
        title: t("secondFactor.turnOff"),
        body: [h("p", {}, t("secondFactor.offNote")), code.element],
        confirm: t("secondFactor.turnOff"),
        isDangerous: true,
        onConfirm: () => auth("/api/totp", { method: "DELETE", body: { totp: code.input.value.trim() } }),
        onProblem: beside(code, "invalid_totp", "totp_required"),
    });
    if (isOff) toast(t("secondFactor.isOff"));
    return isOff;
}

const codeField = () =>
    field({ name: "totp", label: t("secondFactor.code"), autocomplete: "one-time-code", spellcheck: "false" });

const grouped = (secret) => secret.match(/.{1,4}/g).join(" ");
