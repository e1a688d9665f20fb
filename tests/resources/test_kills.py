"""A run that is killed at any moment leaves nothing behind once the next one has started."""

import os
import random
import signal
import time

import pytest

from harness import store

POINTS = ["lease.intent", "lease.acquired", "lease.held", "lease.releasing", "lease.released", "lease.closed"]
KILLED = 137
PATIENCE = 60

JOB = {"resources": {
    "lower": {"type": "process", "config": {"command": ["sh", "-c", "setsid sleep 600 & echo up; wait"], "ready": {"log": "up"}}},
    "upper": {"type": "process", "requires": ["lower"], "config": {"command": ["sleep", "600"]}}},
    "ops": {"a": {"command": ["sh", "-c", "echo a >> done"], "requires": ["upper"]},
            "b": {"command": ["sh", "-c", "echo b >> done"], "requires": ["lower"], "after": ["a"]}}}
NEXT = {"ops": {"only": {"command": ["true"]}}}


def left_behind(project):
    return {pid: lease for run in store.runs(project) for pid, lease in store.marked_processes(f"mutirao-{run['id']}-").items()}


def assert_tidy(project):
    """Every run has ended, and nothing of any is left."""
    assert {run["state"] for run in store.runs(project)} <= {"succeeded", "failed", "cancelled"}
    assert store.open_leases(project) == []
    assert left_behind(project) == {}
    for run in store.runs(project):
        ended = [e["data"].get("lease", e["data"]["resource"]) for e in store.events(project, run["id"])
                 if e["type"] in ("resource.released", "resource.reaped")]
        assert len(ended) == len(set(ended)), "ended twice"


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_death_at_each_step_of_a_lease(project, point, nth):
    job, following = project.job(JOB), project.job(NEXT, "following")
    outcome = project.run("run", job, env={"MUTIRAO_FAIL_AT": f"{point}:{nth}"})
    assert outcome.code == KILLED, outcome
    # The supervisor settled it; that of the next run finds nothing to do.
    project.run_ok("run", following)
    assert_tidy(project)
    assert store.runs(project)[0]["state"] == "failed"


def kill_both(process, project):
    """The supervisor first, so that it settles nothing, then the worker it leaves."""
    process.kill()
    for run in store.runs(project):
        worker = run["worker"]
        if run["state"] not in ("succeeded", "failed", "cancelled") and worker:
            try:
                os.kill(worker["pid"], signal.SIGKILL)
            except ProcessLookupError:
                pass
    process.communicate(timeout=PATIENCE)


def test_death_of_worker_and_supervisor_at_random_moments(project):
    chance = random.Random(20261126)
    job, following = project.job(JOB), project.job(NEXT, "following")
    began = time.monotonic()
    project.run_ok("run", job)
    usual = time.monotonic() - began
    for _ in range(12):
        process = project.start("run", job)
        time.sleep(chance.uniform(0, usual * 1.1))
        kill_both(process, project)
    project.run_ok("run", following)
    assert_tidy(project)


def test_a_living_run_is_not_touched(project):
    held = {**JOB, "ops": {"a": {"command": ["sh", "-c", "touch began; while [ ! -e go ]; do sleep 0.05; done"], "requires": ["upper"]}}}
    process = project.start("run", project.job(held))
    deadline = time.monotonic() + PATIENCE
    while not project.path("began").exists():
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.01)
    before = left_behind(project)
    for _ in range(3):
        project.run_ok("run", project.job(NEXT, "following"))
    assert left_behind(project) == before and len(before) == 3
    project.write("go", "")
    _, talk = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, talk.decode()
    assert_tidy(project)
