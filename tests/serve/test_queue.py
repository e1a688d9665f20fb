"""Launching through a server: the queue, its limits, cancel and re-run."""

import json

import pytest

from harness.server import launch, run, runs, until, wait_for

FAILED, USAGE, INPUT, INFRASTRUCTURE = 1, 2, 3, 4

WAITS = "while [ ! -e go ]; do sleep 0.05; done"


def job(project, name, script, **more):
    return project.job({"ops": {"go": {"command": ["sh", "-c", script]}}, **more}, name)


def test_launch_and_look(project, serve):
    serve()
    job(project, "good", "echo hello; echo careful >&2")
    job(project, "bad", "exit 3")
    outcome = project.run("launch", "good", "--wait")
    assert outcome.code == 0, outcome
    run_id = outcome.out.strip()
    assert project.run("launch", "jobs/bad.yaml", "--wait").code == FAILED

    listed = runs(project)
    assert [(r["job"], r["state"]) for r in listed] == [("bad", "failed"), ("good", "succeeded")]
    assert "exit code 3" in json.dumps(listed[0]["cause"])
    assert [r["job"] for r in runs(project, "--state", "succeeded")] == ["good"]
    assert [r["job"] for r in runs(project, "--job", "bad", "-n", "1")] == ["bad"]
    assert [r["id"] for r in runs(project, "--before", listed[0]["id"])] == [run_id]
    assert project.run_ok("runs", run_id).out.count("succeeded") == 2  # the run and its op
    assert run(project, "latest")["job"] == "bad"

    events = [json.loads(line) for line in project.run_ok("events", run_id, "--json").out.splitlines()]
    assert [e["number"] for e in events] == list(range(1, len(events) + 1))
    types = [e["type"] for e in events]
    assert types[:3] == ["run.queued", "run.starting", "run.started"] and types[-1] == "run.succeeded"
    assert "op.started" in project.run_ok("events", run_id, "-f", "--after", "3").out


def test_launch_needs_a_server(project):
    project.write("mutirao.yaml", "name: test\n")
    job(project, "good", "true")
    outcome = project.run("launch", "good")
    assert outcome.code == INFRASTRUCTURE and "mutirao serve" in outcome.err
    assert json.loads(project.run("launch", "good", "--json").out)["error"]["code"] == "unavailable"


def test_what_is_wrong_is_told_before_anything_starts(project, serve):
    serve()
    job(project, "j", "true", params={"uf": {"type": "string"}})
    for arguments, code, said in [
        (["none"], INPUT, "there is no job"), (["j"], INPUT, '"uf" has no value'),
        (["j", "-p", "ufo=x"], INPUT, "did you mean"), (["j", "-p", "uf=x", "--only", "nothing"], USAGE, "nothing"),
        (["j", "-p", "uf=x", "--tag", "x"], INPUT, "NAME=VALUE"),
        (["j", "-p", "uf=x", "--tag", "mutirao/schedule=x"], INPUT, "set by the program"),
        (["j", "-p", "uf=x", "--priority", "5000"], USAGE, "5000"),
    ]:
        outcome = project.run("launch", *arguments)
        assert outcome.code == code and said in outcome.err, (arguments, outcome)
    assert runs(project) == []


def test_secrets_are_not_stored(project, serve):
    serve()
    job(project, "j", "true", params={"api_token": {"type": "string", "default": "none"}})
    outcome = project.run("launch", "j", "-p", "api_token=canary-4711")
    assert outcome.code == INPUT and "secret" in outcome.err and "canary" not in outcome.err


def test_one_key_is_one_run(project, serve):
    serve()
    job(project, "j", "true")
    first = launch(project, "j", "--key", "2026-01")
    assert launch(project, "j", "--key", "2026-01") == first
    assert launch(project, "j") != first


def test_limits_and_why_a_run_waits(project, serve):
    project.write("mutirao.yaml", "queue: {max_runs: 3, tags: [{key: team, limit: 1}]}\n")
    serve()
    job(project, "a", WAITS, tags={"team": "data"})
    job(project, "b", WAITS)
    first = launch(project, "a")
    wait_for(project, first, "running")
    second = launch(project, "a", "--priority", "5")
    third = launch(project, "b")
    wait_for(project, third, "running")  # what is blocked does not block others
    found = run(project, second)
    assert found["state"] == "queued" and "team" in found["waits"] and first in found["waits"]
    assert "waits: place 1" in project.run_ok("runs").out
    project.write("go", "")
    for run_id in (first, second, third):
        assert wait_for(project, run_id)["state"] == "succeeded"


def test_priority(project, serve):
    project.write("mutirao.yaml", "queue: {max_runs: 0}\n")
    server = serve()
    job(project, "low", "echo low >> order")
    job(project, "high", "echo high >> order", priority=7)
    low, high = launch(project, "low"), launch(project, "high")
    places = {reason["run"]: reason["place"] for reason in server.call("queue")["result"]["queue"]}
    assert places == {high: 1, low: 2}
    project.write("mutirao.yaml", "queue: {max_runs: 1}\n")  # the server sees it
    for run_id in (low, high):
        wait_for(project, run_id)
    assert project.path("order").read_text().split() == ["high", "low"]


def test_cancel(project, serve):
    project.write("mutirao.yaml", "queue: {max_runs: 1}\n")
    serve()
    job(project, "j", WAITS)
    going = launch(project, "j")
    waiting = launch(project, "j")
    wait_for(project, going, "running")
    assert project.run_ok("cancel", waiting, "--json").json()["run"]["state"] == "cancelled"
    project.run_ok("cancel", going, "--wait")
    assert run(project, going)["state"] == "cancelled"
    outcome = project.run("cancel", going)
    assert outcome.code == FAILED and "has ended" in outcome.err


def test_cancel_by_force(project, serve):
    serve()
    job(project, "j", "trap '' TERM INT; touch started; while [ ! -e go ]; do sleep 0.05; done")
    run_id = launch(project, "j")
    until(project.path("started").exists)
    project.run_ok("cancel", run_id)
    project.run_ok("cancel", run_id, "--force", "--wait")
    assert run(project, run_id)["state"] == "cancelled"


@pytest.mark.parametrize("run_id", ["nonsense", "../../etc/passwd", "20261122-103000-zzzzzzzz", "-x", "", "a\nb", "%s"])
@pytest.mark.parametrize("command", ["cancel", "logs", "events", "rerun"])
def test_hostile_ids(project, command, run_id):
    outcome = project.run(command, "--", run_id)
    assert outcome.code in (USAGE, INPUT), outcome
    assert project.files() == [], "looking made files"


@pytest.mark.parametrize("command", [["cancel"], ["logs"], ["events"], ["rerun"], ["runs"], ["retry"]])
def test_unknown_runs(project, command):
    for run_id in ("20261122-103000-9f86d081", "latest"):
        outcome = project.run(*command, run_id)
        assert outcome.code == INPUT and "mutirao runs" in outcome.err, outcome


def test_rerun(project, serve):
    serve()
    project.job({"ops": {"a": {"command": ["sh", "-c", "echo a >> log"]},
                         "b": {"after": ["a"], "command": ["sh", "-c", "echo b >> log; test -e ready"]}}}, "j")
    first = launch(project, "j")
    assert wait_for(project, first)["state"] == "failed"
    project.write("ready", "")
    assert project.run("retry", first, "--wait").code == 0
    assert project.path("log").read_text().split() == ["a", "b", "b"]
    second = runs(project)[0]
    assert second["parent"] == first and second["root"] == first
    outcome = project.run("retry", second["id"])
    assert outcome.code == INPUT and "nothing of run" in outcome.err
    assert project.run("rerun", second["id"], "--only", "a", "--wait").code == 0
    assert project.path("log").read_text().split() == ["a", "b", "b", "a"]
    assert {r["id"] for r in runs(project, "--family", first)} >= {second["id"]}
    assert project.run("rerun", first, "--only", "none").code == INPUT
