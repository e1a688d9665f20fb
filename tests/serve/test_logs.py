"""Logs and events: followed live, bounded, and whole."""

import json
import signal
import subprocess

from harness.server import PATIENCE, launch, until, wait_for

WAITS = "while [ ! -e go ]; do sleep 0.05; done"


def two_ops(project):
    project.job({"ops": {"a": {"command": ["sh", "-c", f"touch started; {WAITS}"]},
                         "b": {"after": ["a"], "command": ["true"]}}}, "j")


def say(project, run_id, name, text):
    """Append to a file of a run's logs, as the capture of an op's output does."""
    path = project.path(f".mutirao/runs/{run_id}/{name}")
    with path.open("a") as file:
        file.write(text)


def test_followed_to_the_end(project, serve):
    serve()
    two_ops(project)
    run_id = launch(project, "j")
    until(project.path("started").exists)
    say(project, run_id, "a.1.out", "one\n")
    logs = project.start("logs", "-f", run_id)
    events = project.start("events", "-f", run_id, "--json")
    assert logs.stdout.readline() == b"a | one\n"
    assert json.loads(events.stdout.readline())["type"] == "run.queued"
    for name, text in [("a.1.err", "oops\n"), ("a.1.out", "two\n"), ("b.1.out", "three\n")]:
        say(project, run_id, name, text)
    project.write("go", "")
    out, _ = logs.communicate(timeout=PATIENCE)
    assert set(out.decode().splitlines()) == {"a | oops", "a | two", "b | three"} and logs.returncode == 0
    out, _ = events.communicate(timeout=PATIENCE)
    assert json.loads(out.splitlines()[-1])["type"] == "run.succeeded" and events.returncode == 0

    assert project.run_ok("logs", run_id, "--op", "b").out == "three\n"
    pieces = [json.loads(line) for line in project.run_ok("logs", run_id, "--json").out.splitlines()]
    assert {"op": "a", "attempt": 1, "stream": "err", "text": "oops"} in pieces
    outcome = project.run("logs", run_id, "--op", "nothing")
    assert outcome.code == 3 and "it has a, b" in outcome.err


def test_ctrl_c_ends_following_alone(project, serve):
    serve()
    two_ops(project)
    run_id = launch(project, "j")
    until(project.path("started").exists)
    say(project, run_id, "a.1.out", "one\n")
    for command in ("logs", "events"):
        follower = project.start(command, "-f", run_id)
        follower.stdout.readline()
        follower.send_signal(signal.SIGINT)
        follower.communicate(timeout=PATIENCE)
        assert follower.returncode == 130, command
    project.write("go", "")
    assert wait_for(project, run_id)["state"] == "succeeded"


def test_nobody_reads(project, serve):
    serve()
    project.job({"ops": {"a": {"command": ["true"]}}}, "j")
    run_id = launch(project, "j")
    wait_for(project, run_id)
    say(project, run_id, "a.1.out", "a line\n" * 200000)
    for command in ("logs", "events"):
        done = subprocess.run(["bash", "-c", f"set -o pipefail; {project.binary} {command} {run_id} | head -n 1"],
                              cwd=project.folder, capture_output=True, env=project.environment(), timeout=PATIENCE)
        assert done.returncode == 0 and done.stderr == b"", done
