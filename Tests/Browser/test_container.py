"""The examples for containers: what the image of the page runs, and that the files name what there is."""

import contextlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from container import WebContainer, stages
from suite import PASSWORD, ROOT

EVENTS = "/conversations/1/events"


@contextlib.contextmanager
def replica(status):
    """A stand-in for ChatService that answers everything with one status and the client's address as it is told."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            text = self.headers.get("X-Forwarded-For", "").encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def container(*arguments):
    running = WebContainer(*arguments)
    try:
        yield running
    finally:
        running.stop()


def test_the_image_of_the_page_has_all_that_a_conversation_needs(person, suite):
    auth, chat = (f"127.0.0.1:{port}" for port in suite.ports[1:])
    with container(auth, chat) as person.suite:
        person.leave()
        person.go("/register")
        person.type("name", "Ann Example")
        person.type("email", f"container.{person.look}.{suite.ports[0]}@example.org")
        person.type("password", PASSWORD)
        person.click("register.submit")
        person.find(".shell")
        person.ask("from a container")
        person.sees("The model has heard you.", ".answer")
        person.driver.get("about:blank")


def test_a_reader_of_events_gets_the_replica_that_does_not_stop_on_both_ports():
    with replica(503) as stopping, replica(200) as serving:
        with container(serving, f"{stopping},{serving}") as web:
            # Each of the two is asked first at some time.
            for _ in range(6):
                assert web.get(f"/api/chat{EVENTS}")[0] == 200
                assert web.get(EVENTS, web.chat_port)[0] == 200


def test_the_address_of_a_client_is_only_believed_of_those_who_stand_in_front():
    claimed = {"X-Forwarded-For": "203.0.113.7"}
    with replica(200) as serving:
        with container(serving, serving) as web:
            assert web.get("/api/chat/conversations", headers=claimed) == (200, "127.0.0.1")
        with container(serving, serving, "10.0.0.0/8,127.0.0.0/8") as web:
            assert web.get("/api/chat/conversations", headers=claimed) == (200, "203.0.113.7")


def read_examples():
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    kubernetes = (ROOT / "deploy" / "kubernetes" / "parley.yaml").read_text(encoding="utf-8")
    return compose["services"], list(yaml.safe_load_all(kubernetes))


def settings_known():
    """What the services and the start of nginx read from the environment."""
    found = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    start = (ROOT / "deploy" / "nginx" / "start").read_text(encoding="utf-8")
    return found | set(re.findall(r"\$\{([A-Z_]+)", start))


def test_compose_builds_what_the_dockerfile_has_and_asks_what_it_starts():
    services, _ = read_examples()
    ports = {"auth": 8080, "chat": 8000}
    for name in ("auth", "chat", "web"):
        service = services[name]
        build = service["build"]
        assert (ROOT / "deploy" / build["context"] / build["dockerfile"]).is_file()
        assert build["target"] in stages()
        assert set(service["environment"]) <= settings_known()
        assert set(service["depends_on"]) <= set(services)
    for name, port in ports.items():
        assert services["web"]["environment"][f"{name.upper()}_SERVERS"] == f"{name}:{port}"
    exposed = next(rest for word, rest in stages()["web"] if word == "EXPOSE").split()
    assert {one.split(":")[-1] for one in services["web"]["ports"]} == set(exposed)


@pytest.mark.parametrize("name", ["auth", "chat", "web"])
def test_kubernetes_finds_what_it_starts(name):
    _, objects = read_examples()
    of = {(one["kind"], one["metadata"]["name"]): one["spec"] for one in objects}
    template = of["Deployment", f"parley-{name}"]["template"]
    service = of["Service", f"parley-{name}"]
    assert service["selector"].items() <= template["metadata"]["labels"].items()
    assert of["Deployment", f"parley-{name}"]["selector"]["matchLabels"] == service["selector"]
    (container_of_pod,) = template["spec"]["containers"]
    assert service["ports"][0]["targetPort"] in [one["name"] for one in container_of_pod["ports"]]
    environment = {one["name"]: one["value"] for one in container_of_pod["env"]}
    assert set(environment) <= settings_known()
    for key in ("AUTH_SERVERS", "CHAT_SERVERS"):
        if key in environment:
            host, port = environment[key].split(":")
            assert of["Service", host]["ports"][0]["port"] == int(port)
    volumes = {one["name"] for one in template["spec"].get("volumes", [])}
    assert {one["name"] for one in container_of_pod.get("volumeMounts", [])} <= volumes
