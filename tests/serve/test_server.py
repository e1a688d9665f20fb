"""The life of a server: one a folder, deaths of it and of workers, its socket, metrics, hooks and retention."""

import http.server
import json
import os
import signal
import socket
import stat
import subprocess
import threading
import urllib.request

import pytest

from harness.server import PATIENCE, launch, run, runs, until, wait_for

INPUT, INFRASTRUCTURE = 3, 4
WAITS = "while [ ! -e go ]; do sleep 0.05; done"


def job(project, name, script, **more):
    return project.job({"ops": {"go": {"command": ["sh", "-c", script]}}, **more}, name)


def test_one_server_a_folder(project, serve):
    server = serve()
    outcome = project.run("serve")
    assert outcome.code == INFRASTRUCTURE and str(server.process.pid) in outcome.err
    assert server.stop() == 0
    serve()


def test_runs_outlive_their_server(project, serve):
    server = serve()
    job(project, "j", "echo once >> count; " + WAITS)
    run_id = launch(project, "j")
    until(project.path("count").exists)
    assert server.stop() == 0
    assert run(project, run_id)["state"] == "running"
    serve()
    project.write("go", "")
    assert wait_for(project, run_id)["state"] == "succeeded"
    assert project.path("count").read_text() == "once\n"


def test_a_job_of_another_folder_is_launched_and_followed(project, serve, tmp_path_factory):
    serve()
    path = project.path(job(project, "j", "exit 0"))
    done = subprocess.run([project.binary, "launch", path, "--wait"], cwd=tmp_path_factory.mktemp("elsewhere"),
                          env=project.environment(), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0 and run(project, done.stdout.strip())["state"] == "succeeded", done


def test_a_killed_server_is_followed_by_another(project, serve):
    job(project, "j", "echo once >> count; " + WAITS)
    server = serve()
    run_id = launch(project, "j")
    until(project.path("count").exists)
    server.stop(signal.SIGKILL)
    serve()
    project.write("go", "")
    assert wait_for(project, run_id)["state"] == "succeeded"
    assert project.path("count").read_text() == "once\n"


@pytest.mark.parametrize("point", ["queue.claimed", "queue.started"])
def test_a_server_that_dies_while_it_starts_a_run(project, serve, point):
    job(project, "j", "echo once >> count")
    server = serve(env={"MUTIRAO_FAIL_AT": point})
    run_id = launch(project, "j")
    assert server.process.wait(timeout=PATIENCE) == 137
    serve()
    assert wait_for(project, run_id)["state"] == "succeeded"
    assert project.path("count").read_text() == "once\n"


def test_a_killed_worker_is_told_as_what_it_was(project, serve):
    serve()
    job(project, "j", "touch started; " + WAITS)
    run_id = launch(project, "j")
    until(project.path("started").exists)
    os.kill(run(project, run_id)["worker"]["pid"], signal.SIGKILL)
    ended = wait_for(project, run_id)
    assert ended["state"] == "failed" and "SIGKILL" in json.dumps(ended["cause"])


def test_the_socket_is_ours_alone_and_outlives_nonsense(project, serve):
    server = serve()
    path = project.path(".mutirao/server.sock")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for bytes_ in (b"", b"\n", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 1000 + b"\n", b'{"method": "launch"}\n'):
        with socket.socket(socket.AF_UNIX) as connection:
            folder = os.open(path.parent, os.O_PATH)
            connection.connect(f"/proc/self/fd/{folder}/server.sock")
            os.close(folder)
            connection.sendall(bytes_)
    assert server.call("ping")["result"]["process"]["pid"] == server.process.pid
    assert "did you mean" in server.call("pin")["error"]["help"]
    assert server.call("launch", job_file="/etc/passwd")["error"]["code"] == "invalid"
    assert server.call("cancel", run="x")["error"]["code"] == "invalid"
    assert server.call("cancel", run="20261122-103000-9f86d081")["error"]["code"] == "not found"


def test_metrics(project, serve):
    server = serve("--metrics", "127.0.0.1:0")
    job(project, "j", "true")
    wait_for(project, launch(project, "j"))
    text = project.run_ok("metrics").out
    assert "mutirao_workers_started_total 1\n" in text
    assert 'state="succeeded"} 1' in text
    with urllib.request.urlopen(f"http://{server.facts['metrics']}/metrics", timeout=PATIENCE) as answer:
        assert "mutirao_workers_started_total 1\n" in answer.read().decode()
    server.stop()
    assert project.run("metrics").code == INFRASTRUCTURE
    assert project.run("serve", "--metrics", "0.0.0.0:9187").code == INPUT


def test_job_files_are_read_again(project, serve):
    serve()
    job(project, "j", "echo one > said")
    wait_for(project, launch(project, "j"))
    job(project, "j", "echo two > said")
    wait_for(project, launch(project, "j"))
    assert project.path("said").read_text() == "two\n"


def test_wrong_settings(project):
    project.write("mutirao.yaml", "queue: {max_run: 1}\n")
    outcome = project.run("serve")
    assert outcome.code == INPUT and "mutirao.yaml:1:9" in outcome.err and "max_runs" in outcome.err
    project.write("mutirao.yaml", "store: mysql://x:canary@y\n")
    outcome = project.run("serve")
    assert outcome.code == INPUT and "canary" not in outcome.err


class Receiver:
    """A web server that keeps what is posted to it, and fails as often as it is told to."""

    def __init__(self, failures=0):
        self.posts, self.failures = [], failures
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append((self.path, json.loads(body), self.headers["Mutirao-Message"]))
                failing = len(receiver.posts) <= receiver.failures
                self.send_response(503 if failing else 204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_hooks(project, serve):
    receiver = Receiver()
    project.write(".env", f"CHAT={receiver.url}/secret-path\n")
    project.write("mutirao.yaml", f'hooks: [{{on: [start, success], webhook: "{receiver.url}/all"}}]\n')
    serve()
    job(project, "bad", "exit 3", hooks=[
        {"on": "failure", "webhook": {"env": "CHAT"}, "format": "slack"},
        {"on": ["failure", "cancel"], "command": ["sh", "-c", "cat > told.json; echo $1 > event", "sh", "${event}"]}])
    run_id = launch(project, "bad")
    wait_for(project, run_id)
    until(lambda: len(receiver.posts) == 2 and project.path("event").exists())
    posts = {path: body for path, body, _ in receiver.posts}
    assert posts["/all"]["event"] == "start" and posts["/all"]["run"]["id"] == run_id
    assert "bad failed" in posts["/secret-path"]["text"]
    assert json.loads(project.path("told.json").read_text())["cause"]["message"]
    assert project.path("event").read_text() == "failure\n"
    receiver.close()
    for path in [p for p in project.files(".mutirao") if not p.endswith((".sock", ".lock"))]:
        assert b"secret-path" not in project.path(f".mutirao/{path}").read_bytes(), path


def test_a_hook_is_tried_again(project, serve):
    receiver = Receiver(failures=1)
    serve()
    job(project, "j", "true", hooks=[{"on": "success", "webhook": receiver.url}])
    wait_for(project, launch(project, "j"))
    until(lambda: len(receiver.posts) == 2)
    assert receiver.posts[0][2] == receiver.posts[1][2], "a receiver must know a repetition"
    receiver.close()


def test_prune(project, serve):
    serve()
    job(project, "j", "echo hello")
    ids = [launch(project, "j") for _ in range(3)]
    for run_id in ids:
        wait_for(project, run_id)
    assert project.run("prune").code == INPUT
    assert project.run("prune", "--runs", "soon").code == INPUT
    newest = runs(project)[0]["id"]
    dry = project.run_ok("prune", "--runs-per-job", "1", "--dry-run", "--json").json()
    assert len(dry["runs"]) == 2 and len(runs(project)) == 3
    project.run_ok("prune", "--runs-per-job", "1")
    assert [r["id"] for r in runs(project)] == [newest]
    assert os.listdir(project.path(".mutirao/runs")) == [newest]
