"""Ops in C++ that require a cluster run on its workers: the library goes there once, what they log, give and fail with comes
back, and a library for other machines is refused by name."""

import json
import os
import shutil
import subprocess

import pytest

from native_side import ROOT, processes_of, wait_until

COMPUTE = {"type": "cluster", "config": {"provider": "local", "n_workers": 1, "worker_memory": "1 GiB"}}


@pytest.fixture
def module(build_tree):
    return build_tree / "lib" / "libworker_module.so"


def write_job(project, module, ops, **config):
    ops = {name: {"requires": ["compute"], "module": f"{module}#{op.pop('function')}", **op} for name, op in ops.items()}
    return project.job({"resources": {"compute": {**COMPUTE, "config": {**COMPUTE["config"], **config}}}, "ops": ops})


def test_ops_run_on_a_worker_and_give_what_they_made(project, module):
    job = write_job(project, module, {
        "first": {"function": "where", "config": {"greeting": "hello"}},
        "second": {"function": "where", "after": ["first"], "config": {"greeting": "again"}}})
    outcome = project.run_ok("run", job, "--json")
    report = outcome.json()
    assert "hello from attempt 1 of first" in outcome.err and "again from attempt 1 of second" in outcome.err
    assert "the cluster has a scheduler: yes" in outcome.err
    pids = [report["ops"][name]["outputs"]["pid"]["value"] for name in ("first", "second")]
    assert pids[0] == pids[1] and pids[0] > 1
    assert not os.path.exists(f"/proc/{pids[0]}"), "the worker ended with the run"
    events = project.run_ok("events", report["run"], "--json").out
    assert events.count("libworker_module.so to 1 workers") == 1, "a library goes to a worker once"


def test_the_example_module_writes_what_it_writes_here(project, build_tree, root):
    module = build_tree / "lib" / "libtowns_module.so"
    places = {}
    for where, requires in (("here", []), ("there", ["compute"])):
        places[where] = project.path(f"{where}.csv")
        job = project.job({"resources": {"compute": COMPUTE}, "ops": {"largest": {
            "requires": requires, "module": f"{module}#largest_towns",
            "config": {"input": f"{root}/examples/active_companies/data", "output": str(places[where]), "count": 5}}}})
        assert "wrote 5 towns" in project.run_ok("run", job).err
    assert places["here"].read_bytes() == places["there"].read_bytes()


def test_inputs_travel_and_failures_come_back(project, module):
    frames = {"numbers": {"read": {"inline": {"columns": {"n": "int64"}, "rows": [[1], [2], [39]]}}}}
    ops = {"sum": {"requires": ["compute"], "in": {"numbers": "make.numbers"}, "module": f"{module}#rows"},
           "wrong": {"requires": ["compute"], "module": f"{module}#fail"}}
    job = project.job({"resources": {"compute": COMPUTE}, "ops": {
        "make": {"frames": frames, "write": [{"frame": "numbers", "parquet": "out/numbers"}]}, **ops}})
    outcome = project.run("run", job)
    assert outcome.code == 3 and "total 42 in process" in outcome.err, outcome
    assert "about to fail" in outcome.err and "the numbers do not add up" in outcome.err and "count again" in outcome.err


def test_a_worker_that_dies_with_an_op_is_named(project, module):
    outcome = project.run("run", write_job(project, module, {"go": {"function": "die"}}))
    assert outcome.code in (1, 4) and "died while it had the op" in outcome.err, outcome


def test_an_op_on_a_worker_is_stopped_with_the_run(project, module):
    process = project.start("run", write_job(project, module, {"go": {"function": "wait"}}))
    seen = ""
    while "waiting in process" not in seen:
        line = process.stderr.readline().decode()
        assert line, f"the run ended: {seen}"
        seen += line
    process.send_signal(2)
    process.communicate(timeout=120)
    assert process.returncode == 130
    wait_until(lambda: not processes_of(process.pid), "driver and workers end with the run")


def test_a_module_for_other_machines_is_refused(project, module, tmp_path):
    """Built for another machine than this one; and sent to workers that say they are another machine."""
    foreign = tmp_path / "libforeign.so"
    data = bytearray(module.read_bytes())
    data[18:20] = (183).to_bytes(2, "little")
    foreign.write_bytes(data)
    outcome = project.run("run", write_job(project, foreign, {"go": {"function": "where"}}))
    assert outcome.code == 3 and "is built for linux-aarch64, this machine is linux-x86_64" in outcome.err, outcome

    if not shutil.which("setarch") or subprocess.run(["setarch", "i686", "true"]).returncode != 0:
        pytest.skip("no process here can say that it is another machine")
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec setarch i686 {ROOT}/.venv/bin/python \"$@\"\n")
    python.chmod(0o755)
    outcome = project.run("run", write_job(project, module, {"go": {"function": "where"}}, python=str(python)))
    assert outcome.code == 3 and "is linux-i686, module" in outcome.err and "is built for linux-x86_64" in outcome.err, outcome
