"""Holds both services' OpenAPI documents against the running services: what the documents allow, what they forbid, and
what they say of the answers. The examples are generated from a fixed seed, in a bounded number."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "Browser"))

from letters import Letters  # noqa: E402
from suite import Suite  # noqa: E402

EXAMPLES = "12"
SEED = "20261122"
# These end the session, or the user, that the other calls are made with: each is held with a user of its own, whose
# password is the one of the document's examples. Of each one call has to have succeeded.
ENDINGS = {"AuthService": ["POST /logout", "DELETE /api/account"], "ChatService": []}
EXAMPLE_PASSWORD = "correct horse battery"
# Off: what a schema cannot say (no NUL in a text, a cursor that was given out, a key not used before) is refused, rightly.
CHECKS_OFF = "positive_data_acceptance"


def ports(suite):
    """Where the services themselves listen: nginx answers some methods, such as TRACE, by itself."""
    text = (suite.folder / "nginx" / "parley.conf").read_text()
    auth, chat, _ = re.findall(r"server 127\.0\.0\.1:(\d+) max_fails=2", text)
    return {"AuthService": auth, "ChatService": chat}


def runs(name):
    """What schemathesis is to select in each run over a service."""
    endings = ENDINGS[name]
    yield name, [word for ending in endings for word in ("--exclude-name", ending)]
    for ending in endings:
        yield ending, ["--include-name", ending]


def answered(traffic):
    """The statuses of all answers."""
    entries = json.loads(traffic.read_text())["log"]["entries"] if traffic.exists() else []
    return {one["response"]["status"] for one in entries}


def held(suite, service, name, port, selection, folder):
    """How many of the selected calls do as the service's document says, and how many do not."""
    user = suite.register(password=EXAMPLE_PASSWORD)
    status, made = suite.call("/api/chat/conversations", {}, user["token"])
    assert status == 201, made
    report, traffic = (folder / f"{name.replace('/', '-')}.{kind}" for kind in ("xml", "har"))
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
    if name in ENDINGS[service] and 204 not in answered(traffic):
        print(f"{name} was never answered 204")
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
