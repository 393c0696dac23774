"""JavaScript that a test runs in the page: what a network and a screen reader would do."""

# Calls of a method whose address has a part in it are counted, and sent only when the test says so.
HOLD = """
const [method, part] = arguments;
const send = window.fetch;
const isReleased = new Promise((resolve) => { window.release = resolve; });
window.held = 0;
window.fetch = async (address, options) => {
    if (options?.method !== method || !address.includes(part)) return send(address, options);
    window.held += 1;
    await isReleased;
    return send(address, options);
};
"""
# Calls whose address has a part in it are refused, as a busy service does that says when to come again.
REFUSE = """
const [part, status, seconds] = arguments;
const send = window.fetch;
window.fetch = async (address, options) => {
    if (!address.includes(part)) return send(address, options);
    const headers = { "Content-Type": "application/problem+json", "Retry-After": String(seconds) };
    return new Response(JSON.stringify({ status, code: "service_unavailable" }), { status, headers });
};
"""
# What screen readers are told from now on.
LISTEN = """
const region = document.getElementById("announcer");
window.heard = [];
const listener = new MutationObserver(() => region.textContent && window.heard.push(region.textContent));
listener.observe(region, { childList: true, characterData: true, subtree: true });
"""
