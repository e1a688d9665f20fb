"""`mutirao leases` and `mutirao cleanup`: what is up, what dead runs have left, and its end."""

import os
import signal
import time
from contextlib import suppress

import pytest

from harness import store

INPUT = 3
PATIENCE = 60
# Its child outlives it when the run dies.
JOB = {"resources": {"r": {"type": "process", "config": {"command": ["sh", "-c", "setsid sleep 600 & echo up; wait"], "ready": {"log": "up"}}}},
       "ops": {"a": {"command": ["sh", "-c", "touch began; while [ ! -e go ]; do sleep 0.05; done"], "requires": ["r"]}}}


@pytest.fixture
def running(project):
    """A run that holds a resource: its process, and how to kill it with all that would settle it."""
    process = project.start("run", project.job(JOB))
    deadline = time.monotonic() + PATIENCE
    while not project.path("began").exists():
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.01)
    yield process
    project.write("go", "")
    process.communicate(timeout=PATIENCE)


def kill(project, process):
    worker = store.last_run(project)["worker"]["pid"]
    process.kill()
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while os.path.exists(f"/proc/{worker}") and time.monotonic() < deadline:
        time.sleep(0.01)


def marked(project):
    return store.marked_processes(f"mutirao-{store.last_run(project)['id']}-")


def test_what_lives_is_shown_and_not_ended(project, running):
    [lease] = project.run_ok("leases", "--json").json()
    run_id = store.last_run(project)["id"]
    assert (lease["name"], lease["state"], lease["owner_is_dead"]) == (f"mutirao-{run_id}-r-1", "held", False)
    assert "owner lives" in project.run_ok("leases").out
    outcome = project.run_ok("cleanup", "--yes")
    assert "no dead run has left anything" in outcome.err and len(marked(project)) == 2


def test_what_a_dead_run_left_is_ended_when_asked(project, running):
    kill(project, running)
    assert "owner is dead" in project.run_ok("leases").out and len(marked(project)) == 1
    [name] = project.run_ok("cleanup", "--dry-run", "--json").json()["would_end"]
    assert len(marked(project)) == 1, "a dry run ends nothing"
    refused = project.run("cleanup")
    assert refused.code == INPUT and "--yes" in refused.err and len(marked(project)) == 1
    assert project.run_ok("cleanup", "--yes", "--json").json() == {"ended": [name], "failed": []}
    assert marked(project) == {}
    assert project.run_ok("leases", "--json").json() == []
    [closed] = project.run_ok("leases", "--all", "--json").json()
    assert closed["state"] == "closed" and " gone " in project.run_ok("leases", "--all").out
    assert project.run_ok("cleanup", "--yes", "--json").json() == {"ended": [], "failed": []}


def test_of_one_run_only(project, running):
    kill(project, running)
    first = store.last_run(project)["id"]
    other = "20250101-000000-00000000"
    assert project.run("leases", "--run", other).code != 0
    assert project.run("leases", "--run", "nonsense").code == INPUT
    assert project.run("cleanup", "--run", other, "--yes").code != 0 and len(marked(project)) == 1
    assert [lease["run_id"] for lease in project.run_ok("leases", "--run", first, "--json").json()] == [first]
    project.run_ok("cleanup", "--run", first, "--yes")
    assert marked(project) == {}


def test_where_nothing_ran(project):
    assert project.run_ok("leases", "--json").json() == []
    assert project.run_ok("cleanup", "--yes", "--json").json() == {"ended": [], "failed": []}
    assert not project.path(".mutirao").exists(), "looking makes no store"
