// The field of business a question is about.

import { h } from "../dom.js";
import { chat } from "../network/request.js";
import { hasWord, t } from "../words.js";

let known = null;

/** Asked once a visit; without an answer only "General" can be chosen. */
function domains() {
    known ??= chat("/domains").then(
        (answer) => answer.domains,
        () => {
            known = null;
            return [{ id: "general", title: "General" }];
        },
    );
    return known;
}

const titleOf = ({ id, title }) => (hasWord(`domain.${id}`) ? t(`domain.${id}`) : title);

/** A select of the domains; `chosen` is the id that was chosen last. */
export function domainSelect(chosen, onChange) {
    const select = h("select", { class: "domain", "aria-label": t("composer.domain"), title: t("composer.domain") });
    select.append(h("option", { value: "general" }, t("domain.general")));
    select.addEventListener("change", () => onChange(select.value));
    domains().then((list) => {
        select.replaceChildren(...list.map((domain) => h("option", { value: domain.id }, titleOf(domain))));
        select.value = list.some(({ id }) => id === chosen) ? chosen : "general";
    });
    return select;
}
