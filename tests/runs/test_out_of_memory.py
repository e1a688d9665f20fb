"""A run that the kernel ends for want of memory is told as that, by the command line and by a server."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from harness import store
from harness.server import Server, end_workers, launch, until, wait_for

MEMORY = Path("/sys/fs/cgroup/memory")
LIMIT_MB = 256
KILLED = 137


@pytest.fixture
def cgroup():
    """A cgroup with little memory; gives what puts a process into it."""
    folder = MEMORY / f"mutirao-test-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(str(LIMIT_MB << 20))
    except OSError:
        pytest.skip("no cgroup of version 1 can be made here")
    yield lambda: (folder / "cgroup.procs").write_text(str(os.getpid()))

    def gone():
        with suppress(OSError):
            folder.rmdir()
        return not folder.exists()

    until(gone)


CAUSE = f"out of memory: cgroup limit {LIMIT_MB} MiB in op load"


def job(project, module):
    return project.job({"resources": {"r": {"type": "process", "config": {"command": ["sleep", "600"]}}},
                        "ops": {"load": {"module": f"{module}#greedy", "requires": ["r"]}}})


@pytest.mark.plain_build  # the sanitizer's own memory is more than the limit
def test_under_the_command_line(project, module, cgroup):
    outcome = project.run("run", job(project, module), preexec_fn=cgroup)
    assert outcome.code == KILLED and CAUSE in outcome.err, outcome
    run = store.last_run(project)
    assert (run["state"], run["cause"]["message"]) == ("failed", CAUSE)
    store.assert_nothing_is_left(project)


@pytest.mark.plain_build  # the sanitizer's own memory is more than the limit
def test_under_a_server(project, module, cgroup):
    job(project, module)
    server = Server(project, preexec_fn=cgroup)
    try:
        run_id = launch(project, "job")
        ended = wait_for(project, run_id)
    finally:
        server.stop()
        end_workers(project)
    assert (ended["state"], ended["cause"]["message"]) == ("failed", CAUSE)
    store.assert_nothing_is_left(project)
