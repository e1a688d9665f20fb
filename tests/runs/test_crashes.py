"""Code of a module that takes the process down fails its run with what it was."""

import signal
import time

import pytest

from harness import store


@pytest.mark.parametrize("op, code, cause", [
    pytest.param("segfault", 139, "killed by SIGSEGV in op load", marks=pytest.mark.plain_build),
    ("abort", 134, "killed by SIGABRT in op load"),
    ("leave", 7, "the run's process ended with exit code 7 in op load"),
    ("leave_as_if_well", 1, "the run's process ended with exit code 0 in op load"),
])
def test_what_killed_it_is_told(project, module, op, code, cause):
    job = project.job({
        "resources": {"r": {"type": "process", "config": {"command": ["sleep", "600"]}}},
        "ops": {"before": {"command": ["true"]}, "load": {"module": f"{module}#{op}", "after": ["before"], "requires": ["r"]},
                "behind": {"command": ["true"], "after": ["load"]}}})
    outcome = project.run("run", job)
    assert outcome.code == code and cause in outcome.err, outcome
    run = store.last_run(project)
    assert (run["state"], run["cause"]["message"]) == ("failed", cause)
    assert store.ops(project, run["id"]) == {"before": "succeeded", "load": "failed", "behind": "cancelled"}
    assert store.open_leases(project) == [] and store.marked_processes(f"mutirao-{run['id']}-") == {}


def test_what_a_module_throws_is_its_ops_failure(project, module):
    outcome = project.run("run", project.job({"ops": {"load": {"module": f"{module}#throw_a_number"}}}))
    assert outcome.code == 1 and "op load failed: module op load threw an exception" in outcome.err, outcome


def test_facts_that_are_none_are_told_and_what_was_made_is_released(project, module):
    outcome = project.run("run", project.job({
        "resources": {"r": {"type": "module", "config": {"module": f"{module}#odd"}}},
        "ops": {"load": {"command": ["true"], "requires": ["r"]}}}))
    assert outcome.code != 0 and "the facts of a module's resource are no JSON mapping" in outcome.err, outcome
    assert project.path("released").exists() and store.open_leases(project) == []


def test_a_second_signal_ends_an_op_that_does_not_listen(project, module):
    process = project.start("run", project.job({
        "resources": {"r": {"type": "process", "config": {"command": ["sleep", "600"]}}},
        "ops": {"load": {"module": f"{module}#deaf", "requires": ["r"]}}}))
    deadline = time.monotonic() + 60
    while not project.path("began").exists():
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    while not store.last_run(project)["cancel_asked"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert process.poll() is None, "asked kindly, it goes on"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    run = store.last_run(project)
    assert (run["state"], process.returncode != 0) == ("cancelled", True)
    assert store.ops(project, run["id"]) == {"load": "cancelled"}
    assert store.open_leases(project) == [] and store.marked_processes(f"mutirao-{run['id']}-") == {}
