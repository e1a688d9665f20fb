"""Processes of this machine: dask.distributed.LocalCluster."""

import glob
import os
import secrets
import shutil
import signal
import stat
import tempfile
import time

from distributed import LocalCluster
from distributed.security import Security

from mutirao.dask.providers.base import BaseProvider, ProviderError

REMOVE_SECONDS = 10


class Provider(BaseProvider):
    def prepare(self):
        self.folder = os.path.join(_place(), f"{self.name}-{secrets.token_hex(4)}")

    def announce(self):
        return {"name": self.name, "pid": os.getpid(), "started": _start_time(os.getpid()), "folder": self.folder}

    def open(self):
        """Whoever reaches a scheduler runs code as its user, and on this machine every user reaches it: so the cluster
        has keys of its own, made for it and kept in the memory of its processes."""
        os.mkdir(self.folder, 0o700)
        # What Dask keeps for the scheduler, and writes keys to while it reads them, would stay after a kill in a place that
        # all users share. Workers inherit it.
        os.environ["TMPDIR"] = self.folder
        tempfile.tempdir = None
        # What the program itself chooses (decision 13).
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
        try:
            cluster = self._start()
        except RuntimeError as error:
            # So Dask says that a worker ended before it was up, and has closed the rest.
            self.tell(f"the cluster is started again: a worker ended before it was up ({error})")
            cluster = self._start()
        self.scale(cluster)
        return cluster

    def _start(self):
        return LocalCluster(
            name=self.name, n_workers=self.least, threads_per_worker=self.config.get("threads_per_worker") or 1,
            processes=True, host="127.0.0.1", memory_limit=self.config.get("worker_memory") or "auto",
            dashboard_address=self.config.get("dashboard_address"), silence_logs=40, security=Security.temporary(),
            **{"death_timeout": self.death_timeout, "local_directory": self.folder, **self.options})

    def handle(self, cluster):
        return {**super().handle(cluster), **self.announce()}

    def close(self, cluster):
        try:
            cluster.close()
        finally:
            self._remove(self.folder)

    def _remove(self, folder):
        """Remove a folder in which processes that are about to end may still write."""
        # A handle comes from a store: nothing is removed that is not named like one of these.
        if not folder or not os.path.basename(folder).startswith(f"{self.name}-"):
            return
        deadline = time.monotonic() + REMOVE_SECONDS
        while os.path.lexists(folder):
            shutil.rmtree(folder, ignore_errors=True)
            if time.monotonic() > deadline and os.path.lexists(folder):
                raise ProviderError("i/o", f"{folder} of the cluster's workers cannot be removed", "see who still writes there")
            time.sleep(0.05)

    def reap(self, handle):
        """Scheduler and workers end with the driver, so the driver is what may be left, and the folder."""
        found = bool(handle and handle.get("started")) and _start_time(handle["pid"]) == handle["started"]
        if found:
            _kill(handle["pid"])
        folder = (handle or {}).get("folder")
        for each in [folder] if folder else self._folders():
            self._remove(each)
        return found

    def _folders(self):
        """Those of this name and user: a driver may have been killed before it told where its own is."""
        return [folder for folder in glob.glob(os.path.join(glob.escape(_place()), f"{glob.escape(self.name)}-????????"))
                if _is_own_folder(folder)]


def _is_own_folder(path):
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _place():
    """Where tasks go to disk. /tmp is memory on many systems."""
    return os.path.abspath(os.environ.get("TMPDIR") or "/var/tmp")


def _kill(pid):
    """End a driver, and with it its workers where it leads their group."""
    try:
        if os.getpgid(pid) == pid != os.getpgrp():
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it was quicker


def _start_time(pid):
    """When a process began, in ticks since boot: with the pid it names one process. None when none lives."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return None if fields[0] in "ZX" else int(fields[19])  # dead, and nobody has looked yet
    except (OSError, IndexError, ValueError):
        return None
