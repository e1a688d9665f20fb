"""Processes of this machine: dask.distributed.LocalCluster."""

import os
import signal

from distributed import LocalCluster
from distributed.security import Security

from mutirao.dask.providers.base import BaseProvider


class Provider(BaseProvider):
    def open(self):
        """Whoever reaches a scheduler runs code as its user, and on this machine every user reaches it: so the cluster
        has keys of its own, made for it and kept in the memory of its processes."""
        cluster = LocalCluster(
            name=self.name, n_workers=self.least, threads_per_worker=self.config.get("threads_per_worker") or 1,
            processes=True, host="127.0.0.1", memory_limit=self.config.get("worker_memory") or "auto",
            dashboard_address=self.config.get("dashboard_address"), silence_logs=40, security=Security.temporary(),
            **{"death_timeout": self.death_timeout, **self.options})
        self.scale(cluster)
        return cluster

    def handle(self, cluster):
        return {**super().handle(cluster), "pid": os.getpid(), "started": _start_time(os.getpid())}

    def reap(self, handle):
        """Scheduler and workers end with the driver, so the driver is what may be left."""
        if not handle or not handle.get("started") or _start_time(handle["pid"]) != handle["started"]:
            return False
        os.kill(handle["pid"], signal.SIGKILL)
        return True


def _start_time(pid):
    """When a process began, in ticks since boot: with the pid it names one process. None when there is none."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rsplit(")", 1)[1].split()[19])
    except (OSError, IndexError, ValueError):
        return None
