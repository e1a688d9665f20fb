"""`mutirao run` stores what it does, runs ops at a time, stops when asked, and tells how what died died."""

import os
import signal
import sqlite3
import time

import pytest

from harness import store
from harness.memory_group import memory_group

PATIENCE = 60


def sh(script, **more):
    return {"command": ["sh", "-c", script], **more}


def wait_for(condition, process=None):
    """Wait until something holds; fail when a process ends first or it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def test_a_run_is_stored_with_its_events_and_config(project):
    job = project.job({"params": {"n": {"type": "int64", "default": 1}},
                       "ops": {"a": sh("true"), "b": sh("true", after=["a"])}})
    project.run_ok("run", job, "-p", "n=7")
    run = store.last_run(project)
    assert (run["state"], run["cause"], run["leaked"]) == ("succeeded", None, 0)
    assert run["config"]["params"]["n"] == {"value": 7, "origin": "-p"}
    assert run["request"]["params"] == ["n=7"]
    assert store.ops(project, run["id"]) == {"a": "succeeded", "b": "succeeded"}
    assert [t for t in store.event_types(project, run["id"]) if t != "op.progress"] == [
        "run.queued", "run.starting", "run.started", "op.started", "op.succeeded", "op.started", "op.succeeded",
        "run.succeeded"]
    assert oct(project.path(".mutirao").stat().st_mode & 0o777) == "0o700"
    assert oct(project.path(f".mutirao/runs/{run['id']}").stat().st_mode & 0o777) == "0o700"


def test_independent_ops_run_at_a_time(project):
    meet = "touch {0}.here; for i in $(seq 600); do [ -e {1}.here ] && exit 0; sleep 0.1; done; exit 1"
    job = project.job({"max_parallel_ops": 2, "ops": {"a": sh(meet.format("a", "b")), "b": sh(meet.format("b", "a"))}})
    project.run_ok("run", job)


def test_max_parallel_ops_by_flag_goes_before_the_job(project):
    alone = "mkdir lock || exit 1; sleep 0.05; rmdir lock"
    job = project.job({"max_parallel_ops": 4, "ops": {name: sh(alone) for name in "abcd"}})
    project.run_ok("run", job, "--max-parallel-ops", "1")
    wrong = project.run("run", job, "--max-parallel-ops", "0")
    assert wrong.code == 2 and "max-parallel-ops" in wrong.err
    project.job({"max_parallel_ops": 0, "ops": {"a": sh("true")}})
    assert project.run("check", job).code != 0


def test_a_failed_op_blocks_what_is_after_it_and_nothing_else(project):
    job = project.job({"ops": {"a": sh("exit 3"), "b": sh("true", after=["a"]), "c": sh("true", after=["b"]), "d": sh("true")}})
    assert project.run("run", job).code == 1
    run = store.last_run(project)
    assert store.ops(project, run["id"]) == {"a": "failed", "b": "blocked", "c": "blocked", "d": "succeeded"}
    assert run["state"] == "failed" and run["cause"]["message"].startswith("op a failed:")
    blocked = [e["data"]["by"] for e in store.events(project, run["id"]) if e["type"] == "op.blocked"]
    assert blocked == ["a", "a"]


def test_retries_are_told(project):
    job = project.job({"ops": {"a": sh("[ -e tried ] || { touch tried; exit 1; }", retry={"max": 2, "delay": "10ms"})}})
    project.run_ok("run", job)
    types = store.event_types(project, store.last_run(project)["id"])
    assert types.count("op.started") == 2 and "op.will_retry" in types


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_for_good(project, number, code):
    job = project.job({"ops": {"a": sh("touch began; sleep 600", retry={"max": 5}), "b": sh("touch never", after=["a"])}})
    process = project.start("run", job)
    wait_for(project.path("began").exists, process)
    process.send_signal(number)
    _, talk = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, talk.decode()
    run = store.last_run(project)
    assert run["state"] == "cancelled" and store.ops(project, run["id"]) == {"a": "cancelled", "b": "cancelled"}
    assert not project.path("never").exists()


def test_a_second_signal_forces(project):
    job = project.job({"ops": {"a": sh("trap '' INT TERM; touch began; while true; do sleep 0.1; done")}})
    process = project.start("run", job)
    wait_for(project.path("began").exists, process)
    process.send_signal(signal.SIGINT)
    wait_for(lambda: "run.cancel_asked" in store.event_types(project, store.last_run(project)["id"]), process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert store.last_run(project)["state"] == "cancelled"


def test_a_cancel_in_the_store_reaches_the_worker(project):
    job = project.job({"ops": {"a": sh("touch began; sleep 600")}})
    process = project.start("run", job)
    wait_for(project.path("began").exists, process)
    connection = sqlite3.connect(project.path(".mutirao/mutirao.db"), timeout=30)
    with connection:
        connection.execute("UPDATE runs SET cancel_asked = 1, state = 'cancelling'")
    connection.close()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert store.last_run(project)["state"] == "cancelled"


def worker_of(project):
    return store.last_run(project)["worker"]["pid"]


def test_a_killed_worker_is_told_at_once_and_what_it_ran_ends(project):
    job = project.job({"ops": {"load": sh("echo $$ > pid; sleep 600")}})
    process = project.start("run", job)
    wait_for(lambda: project.path("pid").exists() and project.path("pid").read_text().strip(), process)
    os.kill(worker_of(project), signal.SIGKILL)
    _, talk = process.communicate(timeout=PATIENCE)
    assert process.returncode == 137
    assert "killed by SIGKILL in op load" in talk.decode()
    run = store.last_run(project)
    assert run["state"] == "failed" and run["cause"]["message"] == "killed by SIGKILL in op load"
    assert store.ops(project, run["id"]) == {"load": "failed"}
    command = int(project.path("pid").read_text())
    wait_for(lambda: not os.path.exists(f"/proc/{command}") or "Z" in open(f"/proc/{command}/stat").read())


def test_a_dead_pair_is_settled_by_the_next_run(project):
    job = project.job({"ops": {"load": sh("[ -e again ] || { touch began; sleep 600; }")}})
    process = project.start("run", job)
    wait_for(project.path("began").exists, process)
    worker = worker_of(project)
    process.kill()
    os.kill(worker, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    assert store.last_run(project)["state"] == "running", "nobody is there to say otherwise"
    project.write("again", "")
    outcome = project.run_ok("run", job)
    assert "had died" in outcome.err
    first, second = store.runs(project)
    assert (first["state"], second["state"]) == ("failed", "succeeded")
    assert "nobody saw how it ended" in first["cause"]["message"]


def test_the_worker_stops_when_its_supervisor_is_killed(project):
    job = project.job({"ops": {"load": sh("touch began; sleep 600")}})
    process = project.start("run", job)
    wait_for(project.path("began").exists, process)
    process.kill()
    process.communicate(timeout=PATIENCE)
    run = store.last_run(project)
    assert run["state"] == "cancelled", run


def test_a_store_that_cannot_be_made_says_what_to_do(project):
    job = project.job({"ops": {"a": sh("true")}})
    project.write(".mutirao", "a file where the folder should be")
    outcome = project.run("run", job)
    assert outcome.code == 4, outcome
    assert "MUTIRAO_STORE" in outcome.err
    project.run_ok("run", job, env={"MUTIRAO_STORE": f"sqlite:{project.path('elsewhere.db')}"})


@pytest.mark.plain_build  # the sanitizer's own memory is more than the limit
def test_want_of_memory_is_told_as_such(project):
    """The worker itself is killed by the kernel: its op collects more than the cgroup allows."""
    lines = "".join(f"{i},{'x' * 200}{i}\n" for i in range(300_000))
    project.write("in.csv", lines)
    job = project.job({"ops": {"load": {
        "frames": {"rows": {"read": {"csv": "in.csv", "columns": ["id", "text"]},
                            "steps": [{"aggregate": {"with": {"all": "list(text)"}}}]}},
        "write": [{"frame": "rows", "parquet": "out.parquet"}]}}})
    with memory_group(64 << 20) as group:
        outcome = project.run("run", job, "--memory", "16GiB", preexec_fn=group.enter)
    assert outcome.code == 137 and "out of memory: cgroup limit 64 MiB in op load" in outcome.err, outcome
    assert store.last_run(project)["cause"]["code"] == "exhausted"
