"""The resource kind http: asked until it answers well, with headers that nothing shows."""

import http.server
import threading
from contextlib import contextmanager

import pytest

from harness import store

CANARY = "canary-5d1f"


@contextmanager
def service(answer):
    """A web server whose statuses a function of (path, headers, how many came before) gives."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status = answer(self.path, self.headers, len(asked))
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def job(project, **config):
    return project.job({"resources": {"api": {"type": "http", "config": config}},
                        "ops": {"a": {"command": ["sh", "-c", "echo $1 > said", "sh", "${resources.api.url}"], "requires": ["api"]}}})


def test_is_asked_until_it_answers_well(project):
    with service(lambda path, headers, before: 503 if before < 2 else 200) as (url, asked):
        project.run_ok("run", job(project, url=f"{url}/v1", check=f"{url}/health"))
    assert asked == ["/health"] * 3
    assert project.path("said").read_text() == f"{url}/v1\n"
    assert store.leases(project) == [], "it makes nothing outside"


def test_fails_with_what_it_answered(project):
    with service(lambda path, headers, before: 404) as (url, _):
        outcome = project.run("run", job(project, url=f"{url}/secret-path", wait="3s"))
    assert outcome.code == 4 and "answers with status 404" in outcome.err and not project.path("said").exists(), outcome


def test_a_status_can_be_demanded(project):
    with service(lambda path, headers, before: 401) as (url, _):
        project.run_ok("run", job(project, url=url, status=401))


@pytest.mark.parametrize("variable, code", [("TOKEN", 0), ("NO_SUCH_TOKEN", 1)])
def test_headers_come_from_the_environment_and_are_shown_nowhere(project, variable, code):
    def answer(path, headers, before):
        return 200 if headers["Authorization"] == f"Bearer {CANARY}" else 403

    with service(answer) as (url, _):
        path = job(project, url=url, headers={"Authorization": {"env": variable}})
        outcome = project.run("run", path, env={"TOKEN": f"Bearer {CANARY}"})
    assert (outcome.code == 0) == (code == 0), outcome
    if code:
        assert 'no variable "NO_SUCH_TOKEN"' in outcome.err
    for name in project.files(".mutirao"):
        assert CANARY.encode() not in project.path(f".mutirao/{name}").read_bytes(), name


def test_nobody_there(project):
    outcome = project.run("run", job(project, url="http://127.0.0.1:9", wait="200ms"))
    assert outcome.code == 4 and "127.0.0.1:9" in outcome.err, outcome
