"""Logs and events: followed live, bounded, and whole."""

import json
import signal
import subprocess

from harness.server import PATIENCE, launch, until, wait_for

WAITS = "while [ ! -e go ]; do sleep 0.05; done"


def two_ops(project):
    project.job({"ops": {"a": {"command": ["sh", "-c", f"echo one; touch started; {WAITS}; echo oops >&2; echo two"]},
                         "b": {"after": ["a"], "command": ["echo", "three"]}}}, "j")


def test_followed_to_the_end(project, serve):
    serve()
    two_ops(project)
    run_id = launch(project, "j")
    until(project.path("started").exists)
    logs = project.start("logs", "-f", run_id)
    events = project.start("events", "-f", run_id, "--json")
    assert logs.stdout.readline() == b"a | one\n"
    assert json.loads(events.stdout.readline())["type"] == "run.queued"
    project.write("go", "")
    out, _ = logs.communicate(timeout=PATIENCE)
    assert set(out.decode().splitlines()) == {"a | oops", "a | two", "b | three"} and logs.returncode == 0
    out, _ = events.communicate(timeout=PATIENCE)
    assert json.loads(out.splitlines()[-1])["type"] == "run.succeeded" and events.returncode == 0

    assert project.run_ok("logs", run_id, "--op", "b").out == "three\n"
    pieces = [json.loads(line) for line in project.run_ok("logs", run_id, "--json").out.splitlines()]
    assert [("a", 1, "err", "oops")] == [(p["op"], p["attempt"], p["stream"], p["text"]) for p in pieces if p["stream"] == "err"]
    assert all(p["time"].endswith("Z") for p in pieces)
    outcome = project.run("logs", run_id, "--op", "nothing")
    assert outcome.code == 3 and "it has a, b" in outcome.err


def test_ctrl_c_ends_following_alone(project, serve):
    serve()
    two_ops(project)
    run_id = launch(project, "j")
    until(project.path("started").exists)
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
    project.job({"ops": {"a": {"command": ["sh", "-c", "yes 'a line' | head -n 200000"]}}}, "j")
    run_id = launch(project, "j")
    wait_for(project, run_id)
    for command in ("logs", "events"):
        done = subprocess.run(["bash", "-c", f"set -o pipefail; {project.binary} {command} {run_id} | head -n 1"],
                              cwd=project.folder, capture_output=True, env=project.environment(), timeout=PATIENCE)
        assert done.returncode == 0 and done.stderr == b"", done
