"""`mutirao run` with a cluster: the example gives the rows and the account of an ordinary run; wrong config is told with
its place; a run that is interrupted or killed leaves nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from harness.parquet import assert_same_rows, rows
from native_side import processes_of, wait_until
from test_faults import work  # noqa: F401

LOCAL = ("--set", "resources.compute.config.provider=local", "--set", "resources.compute.config.n_workers=2")


@pytest.fixture
def example(project, root):
    shutil.copytree(root / "examples" / "active_companies", project.folder, dirs_exist_ok=True)
    return project


def test_the_example_gives_the_same_rows_and_the_same_account(example):
    accounts = []
    for output, flags in (("out/embedded", ()), ("out/cluster", (*LOCAL, "--profile"))):
        done = example.run_ok("run", "active_companies", "--only", "load", "-p", f"output={output}", *flags)
        accounts.append([line.replace(output, "OUT").split(" files, ")[0] for line in done.err.splitlines()
                         if "read" in line or "partner" in line or "to out" in line])
    assert "2 workers are up" in done.err and "what runs on a cluster is not profiled" in done.err
    assert accounts[0] == accounts[1] and any("856" in line for line in accounts[0])
    embedded, cluster = example.read("out/embedded"), example.read("out/cluster")
    assert embedded.num_rows == 856
    assert_same_rows(rows(cluster.select(embedded.column_names)), rows(embedded), embedded.column_names)
    left = [name for name in example.files("out") if not name.endswith((".parquet", ".json"))]
    assert left == []
    load = json.loads(example.path("out/cluster.run.json").read_text())["ops"]["load"]
    assert load["cluster"]["tasks"] >= 1 and load["cluster"]["attempts_lost"] == 0, load


@pytest.mark.parametrize("setting, said", [
    ("provider=colied", 'did you mean "coiled"'), ("provider=ssh", 'provider ssh needs "hosts"'),
    ("n_workers=[5, 2]", "is no range"), ("idle_timeout=0s", "above 0"), ("wurkers=2", 'unknown key "wurkers"')])
def test_wrong_config_is_told(example, setting, said):
    outcome = example.run("run", "active_companies", *LOCAL, "--set", f"resources.compute.config.{setting}")
    assert outcome.code == 3 and said in outcome.err, outcome


def test_a_python_without_dask_says_what_to_type(example):
    outcome = example.run("run", "active_companies", "--only", "load", *LOCAL, env={"MUTIRAO_PYTHON": "/usr/bin/python3"})
    assert outcome.code in (1, 4) and "pip install 'mutirao[dask]'" in outcome.err, outcome
    assert not example.path("out/active_companies").exists()


def read_of(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:  # it was quicker
        return b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_process_and_no_output(project, work, number):  # noqa: F811
    plan, _ = work
    job = project.job({
        "resources": {"compute": {"type": "cluster", "config": {"provider": "local", "n_workers": 2}}},
        "ops": {"load": {"requires": ["compute"], "frames": plan["frames"], "write": [{"frame": "all", "parquet": "out/rows"}]}}})
    place = project.path("tmp")
    place.mkdir()
    process = project.start("run", job, env={"TMPDIR": str(place)})
    seen = ""
    while "workers are up" not in seen:
        line = process.stderr.readline().decode()
        assert line, f"the run ended: {seen}"
        seen += line
    (folder,) = os.listdir(place)
    assert any(f"TMPDIR={place}/{folder}".encode() in read_of(pid, "environ").split(b"\0") for pid in processes_of(process.pid))
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode in (130, -signal.SIGKILL)
    wait_until(lambda: not processes_of(process.pid), "driver and workers end with the run")
    assert not project.path("out/rows").exists()
    assert project.run_ok("cleanup", "--yes", "--json").json()["failed"] == []
    assert project.run_ok("leases", "--json").json() == []
    assert os.listdir(place) == []


def starting_workers(session):
    return [pid for pid in processes_of(session) if b"spawn_main" in read_of(pid, "cmdline")]


def test_a_worker_that_is_killed_while_it_starts_costs_time_only(example):
    process = example.start("run", "active_companies", "--only", "load", "-p", "output=out/rows", *LOCAL)
    wait_until(lambda: starting_workers(process.pid), "a worker starts")
    os.kill(starting_workers(process.pid)[0], signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0 and b"2 workers are up" in said, said.decode()
    assert "started again: a worker ended before it was up" in example.run_ok("events", "latest").out
    assert example.read("out/rows").num_rows == 856


# Makes the folder of a cluster, and gets no further.
STUCK_DRIVER = """
import json, os, sys, time
read, write = (int(sys.argv[sys.argv.index(name) + 1]) for name in ("--in", "--out"))
os.write(write, b'{"type": "hello", "protocol": 1}\\n')
for line in os.fdopen(read):
    message = json.loads(line)
    if message["type"] == "start":
        os.mkdir(f"{os.environ['TMPDIR']}/{message['name']}-0123abcd")
        os.write(write, b'{"type": "starting", "text": "stuck"}\\n')
        time.sleep(600)
"""


def test_a_folder_that_nobody_told_of_is_found_by_name(project):
    project.write("stuck.py", STUCK_DRIVER)
    project.write("python", f'#!/bin/sh\nexec {sys.executable} {project.path("stuck.py")} "$@"\n').chmod(0o755)
    place = project.path("tmp")
    place.mkdir()
    job = project.job({
        "resources": {"compute": {"type": "cluster", "config": {"provider": "local", "n_workers": 1}}},
        "ops": {"load": {"requires": ["compute"], "command": ["true"]}}})
    process = project.start("run", job, env={"TMPDIR": str(place), "MUTIRAO_PYTHON": str(project.path("python"))})
    wait_until(lambda: os.listdir(place) or process.poll() is not None, "the folder is made")
    (folder,) = os.listdir(place)
    for pid in processes_of(process.pid):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=120)
    wait_until(lambda: not processes_of(process.pid), "all are gone")
    cleaned = project.run_ok("cleanup", "--yes", "--json", env={"TMPDIR": str(place)}).json()
    assert cleaned["failed"] == [] and os.listdir(place) == [], (folder, cleaned)
    assert project.run_ok("leases", "--json").json() == []
