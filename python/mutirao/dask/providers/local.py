"""Processes of this machine: dask.distributed.LocalCluster."""

import os
import shutil
import signal
import tempfile

from distributed import LocalCluster
from distributed.security import Security

from mutirao.dask.providers.base import BaseProvider


class Provider(BaseProvider):
    def prepare(self):
        self.folder = None

    def open(self):
        """Whoever reaches a scheduler runs code as its user, and on this machine every user reaches it: so the cluster
        has keys of its own, made for it and kept in the memory of its processes."""
        # Where tasks go to disk. /tmp is memory on many systems.
        self.folder = tempfile.mkdtemp(prefix=f"{self.name}-", dir=os.environ.get("TMPDIR") or "/var/tmp")
        cluster = LocalCluster(
            name=self.name, n_workers=self.least, threads_per_worker=self.config.get("threads_per_worker") or 1,
            processes=True, host="127.0.0.1", memory_limit=self.config.get("worker_memory") or "auto",
            dashboard_address=self.config.get("dashboard_address"), silence_logs=40, security=Security.temporary(),
            **{"death_timeout": self.death_timeout, "local_directory": self.folder, **self.options})
        self.scale(cluster)
        return cluster

    def handle(self, cluster):
        return {**super().handle(cluster), "pid": os.getpid(), "started": _start_time(os.getpid()), "folder": self.folder}

    def close(self, cluster):
        try:
            cluster.close()
        finally:
            self._remove(self.folder)

    def _remove(self, folder):
        # A handle comes from a store: nothing is removed that is not named like one of these.
        if folder and os.path.basename(folder).startswith(f"{self.name}-"):
            shutil.rmtree(folder, ignore_errors=True)

    def reap(self, handle):
        """Scheduler and workers end with the driver, so the driver is what may be left."""
        found = bool(handle and handle.get("started")) and _start_time(handle["pid"]) == handle["started"]
        if found:
            os.kill(handle["pid"], signal.SIGKILL)
        self._remove((handle or {}).get("folder") or self.folder)
        return found


def _start_time(pid):
    """When a process began, in ticks since boot: with the pid it names one process. None when none lives."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return None if fields[0] in "ZX" else int(fields[19])  # dead, and nobody has looked yet
    except (OSError, IndexError, ValueError):
        return None
