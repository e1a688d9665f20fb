"""A run that the kernel ends for want of memory is told as that, by the command line and by a server."""

import pytest

from harness import store
from harness.memory_group import memory_group
from harness.server import Server, end_workers, launch, wait_for

LIMIT_MB = 256
KILLED = 137


@pytest.fixture
def group():
    with memory_group(LIMIT_MB << 20) as group:
        yield group


CAUSE = f"out of memory: cgroup limit {LIMIT_MB} MiB in op load"


def job(project, module):
    return project.job({"resources": {"r": {"type": "process", "config": {"command": ["sleep", "600"]}}},
                        "ops": {"load": {"module": f"{module}#greedy", "requires": ["r"]}}})


@pytest.mark.plain_build  # the sanitizer's own memory is more than the limit
def test_under_the_command_line(project, module, group):
    outcome = project.run("run", job(project, module), preexec_fn=group.enter)
    assert outcome.code == KILLED and CAUSE in outcome.err, outcome
    run = store.last_run(project)
    assert (run["state"], run["cause"]["message"]) == ("failed", CAUSE)
    store.assert_nothing_is_left(project)


@pytest.mark.plain_build  # the sanitizer's own memory is more than the limit
def test_under_a_server(project, module, group):
    job(project, module)
    server = Server(project, preexec_fn=group.enter)
    try:
        run_id = launch(project, "job")
        ended = wait_for(project, run_id)
    finally:
        server.stop()
        end_workers(project)
    assert (ended["state"], ended["cause"]["message"]) == ("failed", CAUSE)
    store.assert_nothing_is_left(project)
