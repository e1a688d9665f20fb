"""Code of a module that takes the process down fails its run with what it was."""

import os
import subprocess
from pathlib import Path

import pytest

from harness import store


@pytest.fixture(scope="module")
def module(tmp_path_factory, root):
    """The module, built as a user would."""
    built = tmp_path_factory.mktemp("module") / "libcrash.so"
    subprocess.run([os.environ.get("CXX", "g++"), "-std=c++20", "-O0", "-fPIC", "-shared", f"-I{root}/include",
                    Path(__file__).with_name("crashing_module.cc"), "-o", built], check=True)
    return built


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
