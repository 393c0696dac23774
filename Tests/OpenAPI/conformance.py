"""Holds both services' OpenAPI documents against the running services: what the documents allow, what they forbid, and
what they say of the answers. The examples are generated from a fixed seed, in a bounded number."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "Browser"))

from letters import Letters  # noqa: E402
from suite import Suite  # noqa: E402

EXAMPLES = "12"
SEED = "20261122"
# Calls that are held with a user of their own, and the status that one of them has to have been answered with: two end
# the session, or the user, that the others are made with; a stream ends only with the session.
APART = {
    "AuthService": {"POST /logout": 204, "DELETE /api/account": 204},
    "ChatService": {"GET /conversations/{id}/events": 200},
}
# In the documents' examples.
EXAMPLE_PASSWORD, EXAMPLE_CONVERSATION = "correct horse battery", 17
STREAM_SECONDS = 10
# Off: what a schema cannot say (no NUL in a text, a cursor that was given out, a key not used before) is refused, rightly.
CHECKS_OFF = "positive_data_acceptance"


def ports(suite):
    """Where the services themselves listen: nginx answers some methods, such as TRACE, by itself."""
    text = (suite.folder / "nginx" / "parley.conf").read_text()
    auth, chat, _ = re.findall(r"server 127\.0\.0\.1:(\d+) max_fails=2", text)
    return {"AuthService": auth, "ChatService": chat}


def runs(service):
    """What schemathesis is to select in each run over a service."""
    yield service, [word for name in APART[service] for word in ("--exclude-name", name)]
    for name in APART[service]:
        yield name, ["--include-name", name]


def answered(traffic):
    """The statuses of all answers."""
    entries = json.loads(traffic.read_text())["log"]["entries"] if traffic.exists() else []
    return {one["response"]["status"] for one in entries}


def held(suite, service, name, port, selection, folder):
    """How many of the selected calls do as the service's document says, and how many do not."""
    user = suite.register(password=EXAMPLE_PASSWORD)
    status, made = suite.call("/api/chat/conversations", {}, user["token"])
    assert status == 201, made
    if name.endswith("/events"):
        suite.sql(
            "insert into chat.conversations (id, user_id, title) overriding system value "
            f"values ({EXAMPLE_CONVERSATION}, {made['user_id']}, 'Example') "
            "on conflict (id) do update set user_id = excluded.user_id"
        )
        threading.Timer(STREAM_SECONDS, suite.call, ("/api/auth/logout", {}, user["token"])).start()
    file = re.sub("[^A-Za-z]", "-", name)
    report, traffic = (folder / f"{file}.{kind}" for kind in ("xml", "har"))
    command = [
        str(pathlib.Path(sys.executable).with_name("schemathesis")), "run", f"http://127.0.0.1:{port}/openapi.json",
        "--header", f"Authorization: Bearer {user['token']}", "--phases", "examples,coverage,fuzzing",
        "--max-examples", EXAMPLES, "--seed", SEED, "--exclude-checks", CHECKS_OFF, "--request-timeout", "30",
        "--workers", "1", "--continue-on-failure", "--no-shrink", "--warnings", "off",
        "--report", "junit,har", "--report-junit-path", str(report), "--report-har-path", str(traffic),
        *selection,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    print(f"== {name}")
    cases = xml.etree.ElementTree.parse(report).findall(".//testcase") if report.exists() else []
    failed = [one for one in cases if one.find("failure") is not None or one.find("error") is not None]
    if failed or done.returncode != 0:
        print(done.stdout[-20_000:], done.stderr[-4000:])
    wrong = max(len(failed), int(done.returncode != 0))
    wanted = APART[service].get(name)
    if wanted is not None and wanted not in answered(traffic):
        print(f"{name} was never answered {wanted}")
        wrong += 1
    return len(cases) - len(failed), wrong


def main():
    # The paths of mails are served only where mails can be sent.
    letters = Letters()
    suite = Suite("", {"LLM_BASE_URL": "", "SMTP_URL": letters.url})
    passed = failed = 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            for service, port in ports(suite).items():
                for name, selection in runs(service):
                    good, bad = held(suite, service, name, port, selection, pathlib.Path(folder))
                    passed, failed = passed + good, failed + bad
    finally:
        suite.stop()
        letters.stop()
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0 or passed == 0)


sys.exit(main())
