"""Workers and servers that are killed while a run holds resources: the next server ends what is left, once."""

import os
import signal
import sqlite3
from collections import Counter
from contextlib import closing, suppress

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


def ended(project, run_id):
    """How often each resource of a run was ended, as its events tell."""
    return Counter(e["data"]["resource"] for e in store.events(project, run_id)
                   if e["type"] in ("resource.released", "resource.reaped"))


def assert_ended_once(project, run_id, *resources):
    """These were ended, none twice, and nothing is left. A reaper closes the lease first and tells the run then."""
    until(lambda: set(resources) <= set(ended(project, run_id)))
    assert all(count == 1 for count in ended(project, run_id).values()), ended(project, run_id)
    store.assert_nothing_is_left(project)


def leave_a_lease(project, run_id):
    """Open the lease of a run that has ended again, as if it had died before it could close it."""
    with closing(sqlite3.connect(project.path(".mutirao/mutirao.db"), timeout=PATIENCE)) as database, database:
        assert database.execute("UPDATE leases SET state = 'held' WHERE run_id = ?", [run_id]).rowcount == 1


@pytest.mark.parametrize("point", LEASE_POINTS)
def test_a_worker_that_dies_at_a_step_of_a_lease(project, serve, point):
    project.job(JOB)
    serve(env={"MUTIRAO_FAIL_AT": f"{point}:2"})  # handed on to the worker, who alone passes there
    run_id = launch(project, "job")
    assert wait_for(project, run_id)["state"] == "failed"
    # What it closed last it ended itself, and died before it could say so.
    assert_ended_once(project, run_id, "upper", *(["lower"] if point != "lease.closed" else []))


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
    # The first to be made is the lower, the first to be ended the upper.
    assert_ended_once(project, run_id, "lower", *(["upper"] if point in ("lease.releasing", "lease.released") else []))


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
    assert_ended_once(project, run_id, "lower", "upper")


def test_a_server_that_is_killed_leaves_a_living_run_its_resources(project, serve):
    project.job(WAITING)
    project.job({"resources": {"r": {"type": "process", "config": {"command": ["sleep", "600"]}}},
                 "ops": {"a": {"command": ["true"], "requires": ["r"]}}}, name="gone")
    project.run_ok("run", "gone")
    gone = store.last_run(project)["id"]
    server = serve()
    run_id = launch(project, "job")
    until(project.path("began").exists)
    before = store.marked_processes(f"mutirao-{run_id}-")
    server.stop(signal.SIGKILL)
    leave_a_lease(project, gone)
    serve()
    # It counts what it has reaped when it has looked at all leases.
    until(lambda: "mutirao_leases_reaped_total 0\n" not in project.run_ok("metrics").out)
    assert store.marked_processes(f"mutirao-{run_id}-") == before and len(before) == 3
    assert {lease["run_id"] for lease in store.open_leases(project)} == {run_id}
    project.write("go", "")
    assert wait_for(project, run_id)["state"] == "succeeded"
    assert_ended_once(project, run_id, "lower", "upper")
