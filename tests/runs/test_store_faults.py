"""A store that dies while its tables are made, or restarts in the middle of a run."""

import json
import time

import pytest

from harness.postgres import Postgres, programs

KILLED = 137
PATIENCE = 60
needs_postgres = pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")


@pytest.fixture
def postgres():
    server = Postgres()
    yield server
    server.stop()


def until_exists(project, name, process):
    deadline = time.monotonic() + PATIENCE
    while not project.path(name).exists():
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.02)


def die_while_tables_are_made(project, env):
    job = project.job({"ops": {"a": {"command": ["true"]}}})
    died = 0
    for statement in (1, 2, 9, 20):
        died += project.run("run", job, env={**env, "MUTIRAO_FAIL_AT": f"store.migrate:{statement}"}).code == KILLED
    assert died == 4, "each time the tables were not there yet"
    project.run_ok("run", job, env=env)
    assert [r["state"] for r in project.run_ok("runs", "--json", env=env).json()] == ["succeeded"]


def test_death_while_tables_are_made(project):
    die_while_tables_are_made(project, {})


@needs_postgres
def test_death_while_tables_are_made_in_postgres(project, postgres):
    die_while_tables_are_made(project, {"MUTIRAO_STORE": postgres.uri})


@needs_postgres
def test_a_run_outlives_a_restart_of_its_store(project, postgres):
    job = project.job({"ops": {"a": {"command": ["sh", "-c", "touch began; while [ ! -e go ]; do sleep 0.05; done"]},
                               "b": {"command": ["true"], "after": ["a"]}}})
    env = {"MUTIRAO_STORE": postgres.uri}
    process = project.start("run", job, env=env)
    until_exists(project, "began", process)
    postgres.halt()
    project.write("go", "")
    time.sleep(2)  # the end of the op is to be stored, and cannot be
    assert process.poll() is None
    postgres.start()
    _, talk = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, talk.decode()
    [run] = project.run_ok("runs", "--json", env=env).json()
    assert run["state"] == "succeeded"
    numbers = [e["number"] for e in map(json.loads, project.run_ok("events", run["id"], "--json", env=env).out.splitlines())]
    assert numbers == list(range(1, len(numbers) + 1)), "nothing is missing and nothing is there twice"
