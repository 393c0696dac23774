"""What the image of the page would run, without an engine for containers: the files that its Dockerfile copies, as a
user without rights."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

from suite import ROOT, free_ports, waited

DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def stages():
    """The instructions of each stage of the Dockerfile, by its name."""
    found = {}
    text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        start = re.match(r"FROM \S+ AS (\S+)$", line)
        if start:
            found[start.group(1)] = []
        elif line and not line.startswith("#"):
            word, rest = line.split(" ", 1)
            found[list(found)[-1]].append((word, rest))
    return found


class WebContainer:
    """The page and nginx in front of services that run elsewhere on this machine."""

    def __init__(self, auth_servers, chat_servers, trusted_proxies=""):
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="parley-container."))
        # Whoever runs in the container sees its files and writes below /tmp alone.
        self._folder.chmod(0o755)
        state = self._folder / "tmp"
        state.mkdir()
        state.chmod(0o777)
        self._log = state / "stderr"
        self._log.touch()
        self._log.chmod(0o666)
        command = self._copy()
        self.web_port, self.chat_port, auth_port = free_ports(3)
        self.page = f"http://localhost:{self.web_port}"
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [command],
                env={
                    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "AUTH_SERVERS": auth_servers,
                    "CHAT_SERVERS": chat_servers,
                    "TRUSTED_PROXIES": trusted_proxies,
                    "LISTEN_ADDRESS": "127.0.0.1",
                    "WEB_PORT": str(self.web_port),
                    "CHAT_PORT": str(self.chat_port),
                    "AUTH_PORT": str(auth_port),
                    "PARLEY_STATE": str(state / "parley"),
                },
                stdin=subprocess.DEVNULL,
                stderr=log,
                **({"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}),
            )
        try:
            waited(self._is_up, 20, "nginx")
        except AssertionError as error:
            said = self._log.read_text()
            self.stop()
            raise AssertionError(f"{error}:\n{said}") from None

    def _copy(self):
        """Does what COPY and CMD of the Dockerfile say; gives back the command."""
        command = None
        for word, rest in stages()["web"]:
            if word == "COPY":
                source, target = rest.split()
                shutil.copytree(ROOT / source, self._folder / target.lstrip("/"))
            if word == "CMD":
                command = self._folder / rest.strip('[]"').lstrip("/")
        subprocess.run(["chmod", "-R", "a+rX", self._folder / "opt"], check=True)
        return command

    def _is_up(self):
        assert self._process.poll() is None, "nginx has ended"
        try:
            return self.get("/index.html")[0] == 200
        except OSError:
            return False

    def get(self, path, port=None, headers=None):
        """The status and text of an answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{port or self.web_port}{path}", headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self):
        # At once: a gentle stop would wait for the streams that a browser leaves open.
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
