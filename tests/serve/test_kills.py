"""Workers and servers that are killed while a run holds resources: the next server ends what is left, once."""

import os
import signal
from collections import Counter
from contextlib import suppress

import pytest

from harness import store
from harness.server import PATIENCE, launch, run, until, wait_for

KILLED = 137
LEASE_POINTS = ["lease.intent", "lease.acquired", "lease.held", "lease.releasing", "lease.released", "lease.closed"]
JOB = {"resources": {
    "lower": {"type": "process", "config": {"command": ["sh", "-c", "setsid sleep 600 & echo up; wait"], "ready": {"log": "up"}}},
    "upper": {"type": "process", "requires": ["lower"], "config": {"command": ["sleep", "600"]}}},
    "ops": {"a": {"command": ["true"], "requires": ["upper"]}}}
WAITING = {**JOB, "ops": {"a": {"command": ["sh", "-c", "touch began; while [ ! -e go ]; do sleep 0.05; done"], "requires": ["upper"]}}}


def assert_ended_once(project, run_id):
    ended = Counter(e["data"]["resource"] for e in store.events(project, run_id)
                    if e["type"] in ("resource.released", "resource.reaped"))
    assert all(count == 1 for count in ended.values()), ended
    store.assert_nothing_is_left(project)


@pytest.mark.parametrize("point", LEASE_POINTS)
def test_a_worker_that_dies_at_a_step_of_a_lease(project, serve, point):
    project.job(JOB)
    serve(env={"MUTIRAO_FAIL_AT": f"{point}:2"})  # handed on to the worker, who alone passes there
    run_id = launch(project, "job")
    assert wait_for(project, run_id)["state"] == "failed"
    assert_ended_once(project, run_id)


@pytest.mark.parametrize("point", LEASE_POINTS)
def test_a_server_that_is_killed_while_a_worker_dies_at_a_step(project, serve, point):
    project.job(JOB)
    server = serve(env={"MUTIRAO_FAIL_AT": f"{point}:1"})
    run_id = launch(project, "job")
    until(lambda: run(project, run_id)["state"] != "queued")
    server.stop(signal.SIGKILL)
    serve()
    assert wait_for(project, run_id)["state"] in ("failed", "succeeded")
    until(lambda: store.open_leases(project) == [])
    assert_ended_once(project, run_id)


@pytest.mark.parametrize("point", ["settle.taken", "lease.taken", "lease.reaped", "settle.reaped"])
def test_a_server_that_dies_while_it_settles_a_dead_run(project, serve, point):
    project.job(WAITING)
    server = serve(env={"MUTIRAO_FAIL_AT": point})
    run_id = launch(project, "job")
    until(project.path("began").exists)
    with suppress(ProcessLookupError):
        os.kill(run(project, run_id)["worker"]["pid"], signal.SIGKILL)
    assert server.process.wait(timeout=PATIENCE) == KILLED
    serve()
    assert wait_for(project, run_id)["state"] == "failed"
    until(lambda: store.open_leases(project) == [])
    assert_ended_once(project, run_id)


def test_a_server_that_is_killed_leaves_a_living_run_its_resources(project, serve):
    project.job(WAITING)
    server = serve()
    run_id = launch(project, "job")
    until(project.path("began").exists)
    before = store.marked_processes(f"mutirao-{run_id}-")
    server.stop(signal.SIGKILL)
    serve()
    assert store.marked_processes(f"mutirao-{run_id}-") == before and len(before) == 3
    project.write("go", "")
    assert wait_for(project, run_id)["state"] == "succeeded"
    assert_ended_once(project, run_id)
