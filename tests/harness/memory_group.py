"""A memory cgroup of a test's own, version 1 or 2, that says what the kernel killed in it."""

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from harness.server import until

V1 = {"limit": "memory.limit_in_bytes", "with_swap": "memory.memsw.limit_in_bytes", "kills": "memory.oom_control"}
V2 = {"limit": "memory.max", "swap": "memory.swap.max", "kills": "memory.events"}
TOP = Path("/sys/fs/cgroup")


class MemoryGroup:
    def __init__(self, folder, files):
        self.folder, self.files = folder, files

    def limit(self, size):
        """Limit what its processes hold, swap and all; checks that a process can enter it."""
        self._write("limit", size)
        # Where swap is not accounted for, there is no file of its limit.
        for file, value in (("with_swap", size), ("swap", 0)):
            if file in self.files and (self.folder / self.files[file]).exists():
                self._write(file, value)
        subprocess.run(["true"], preexec_fn=self.enter, check=True)

    def _write(self, file, value):
        # Never makes the file: a folder that is no cgroup must fail.
        with open(self.folder / self.files[file], "r+") as control:
            control.write(str(value))

    def enter(self):
        """Put the calling process into it: the preexec_fn of what a test starts."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def kills(self):
        """How many of its processes the kernel has killed for want of memory; 0 where it does not count them."""
        counters = dict(line.split() for line in (self.folder / self.files["kills"]).read_text().splitlines())
        return int(counters.get("oom_kill", 0))

    def is_enforced(self, size):
        """Whether the kernel ends a process that takes more than so many bytes, and counts it."""
        before = self.kills()
        subprocess.run([sys.executable, "-c", f"bytearray({2 * size})"], preexec_fn=self.enter, stderr=subprocess.DEVNULL)
        return self.kills() > before

    def remove(self):
        def gone():
            with suppress(OSError):
                self.folder.rmdir()
            return not self.folder.exists()

        until(gone)


def _places():
    """Where a group may be made: at the top, or where this process has been put."""
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            own[1] = TOP / "memory" / path.lstrip("/")
        elif number == "0":
            own[2] = TOP / path.lstrip("/")
    if 1 in own:
        yield from ((TOP / "memory", V1), (own[1], V1))
    # A group of version 2 with processes in it has none with limits below it, but maybe beside it.
    if 2 in own:
        yield from ((TOP, V2), (own[2].parent, V2), (own[2], V2))


@contextmanager
def memory_group(size):
    """A group whose processes may hold so many bytes, gone at the end; skips where none can be made, or where the kernel
    lets them have more. What a test itself starts then is killed, or the test fails."""
    for parent, files in _places():
        if not (parent / "cgroup.procs").exists():
            continue
        try:
            group = MemoryGroup(Path(tempfile.mkdtemp(prefix="mutirao-test-", dir=parent)), files)
        except OSError:
            continue
        try:
            try:
                group.limit(size)
            except (OSError, subprocess.SubprocessError):
                continue
            if not group.is_enforced(size):
                pytest.skip("the kernel kills nothing for want of memory here, or does not count it")
            yield group
            return
        finally:
            group.remove()
    pytest.skip("no memory cgroup can be made here")
