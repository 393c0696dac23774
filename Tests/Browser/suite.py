"""The whole product for tests: deploy/run with debug binaries, ports of its own and a scripted model behind it."""

import contextlib
import fcntl
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests" / "Fixtures"
PASSWORD = "a long password"
START_SECONDS = 120
# Below the ports that deploy/run and the kernel choose; each worker has its own of them.
FIRST_PORT, PORTS_OF_WORKER, WORKERS_MAX = 10_000, 1_000, 9


def free_ports(count):
    """Ports of this machine on which nobody listens, and which no other worker takes."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS_MAX
    start = FIRST_PORT + worker * PORTS_OF_WORKER
    found = []
    for port in random.sample(range(start, start + PORTS_OF_WORKER), PORTS_OF_WORKER):
        with socket.socket() as candidate, contextlib.suppress(OSError):
            candidate.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no free ports")


@contextlib.contextmanager
def starting_alone():
    """No other worker starts a suite meanwhile: deploy/run looks for free ports, and takes them a little later."""
    with open(ROOT / ".build" / "browser.lock", "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Suite:
    """A running deployment. Every address is nginx's."""

    def __init__(self, model_url, settings=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="parley-browser."))
        self.folder.chmod(0o711)
        self.ports = free_ports(3)
        self.page = f"http://localhost:{self.ports[0]}"
        environment = {
            **os.environ,
            "PARLEY_STATE": str(self.folder),
            "WEB_PORT": str(self.ports[0]),
            "AUTH_PORT": str(self.ports[1]),
            "CHAT_PORT": str(self.ports[2]),
            "REGISTRATIONS_PER_HOUR": "0",
            "LLM_BASE_URL": model_url,
            "LLM_MODEL": "scripted",
            **(settings or {}),
        }
        binaries = os.environ.get("PARLEY_BINARIES", str(ROOT / ".build" / "debug"))
        with starting_alone():
            self._start(environment, binaries)

    def _start(self, environment, binaries):
        self.process = subprocess.Popen(
            [ROOT / "deploy" / "run", "--binaries", binaries],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines = []
        self._ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._ready.wait(START_SECONDS) or self.process.poll() is not None:
            self.stop()
            raise RuntimeError("deploy/run did not get ready:\n" + "".join(self.lines))

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            if "Ctrl-C stops everything" in line:
                self._ready.set()
        self._ready.set()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, path, body=None, token=None, method=None):
        """The status and JSON of a call below the page's address."""
        request = urllib.request.Request(
            self.page + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method or ("GET" if body is None else "POST"),
            headers={"Content-Type": "application/json"} if body is not None else {},
        )
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text else None

    def register(self, name="Ann Example", password=PASSWORD):
        """A new user: the session answer, with the e-mail address."""
        address = f"ann{random.getrandbits(48):x}@example.org"
        status, answer = self.call("/api/auth/register", {"email": address, "password": password, "name": name})
        assert status == 201, answer
        return answer

    def sql(self, statement):
        """Runs SQL as the superuser of the suite's PostgreSQL; what no call can bring about in a test's time."""
        url = subprocess.run(
            [ROOT / "deploy" / "private-postgres", "admin-url", self.folder / "postgres"],
            check=True, capture_output=True, text=True,
        ).stdout.strip()
        done = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url, "-c", statement],
            check=True, capture_output=True, text=True,
        )
        return done.stdout.strip()

    def replicas(self):
        """The ids of the ChatService processes that serve."""
        return self._processes(recognize=False)

    @contextlib.contextmanager
    def replicas_away(self):
        """ChatService is killed, and not started again before the end."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            for replica in self.replicas():
                os.kill(replica, signal.SIGKILL)
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def reading_held(self):
        """Nothing is recognised meanwhile; a page takes too short a time to be looked at."""
        held = self._processes(recognize=True)
        for one in held:
            os.kill(one, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in held:
                os.kill(one, signal.SIGCONT)

    def _processes(self, recognize):
        """The ids of the ChatService processes that serve, or of those that recognize."""
        found = []
        for folder in pathlib.Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().split(b"\0")
                is_ours = command[0] == bytes(self.folder / "bin" / "ChatService")
                if is_ours and (b"recognize" in command) == recognize:
                    found.append(int(folder.name))
        return found


def waited(condition, seconds=20, what="a condition"):
    """The first true value of `condition()`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


def words(language):
    """The page's own words of a language, as its modules have them."""
    folder = ROOT / "deploy" / "web" / "scripts" / "words"
    found = {}
    for name in (f"{language}.js", f"{language}-problems.js"):
        text = (folder / name).read_text(encoding="utf-8")
        for key, value in re.findall(r'^    "([\w.-]+)": (.+),$', text, re.MULTILINE):
            found[key] = json.loads(value) if value.startswith('"') else value
    return found


def plural(language, n):
    """The form of a word that goes with a number, as the Unicode CLDR names it."""
    if language == "en":
        return "one" if n == 1 else "other"
    if n % 10 == 1 and n % 100 != 11:
        return "one"
    return "few" if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else "other"
