"""What all providers share."""

import importlib
import logging
import time

from distributed import SpecCluster
from distributed.core import Status
from distributed.deploy.spec import ProcessInterface

log = logging.getLogger("mutirao.dask")

# How often lost workers are started anew, at most: one that cannot start would otherwise be tried without end.
REPLACE_SECONDS = 10


class ProviderError(Exception):
    """A cluster could not be had. `code` is one of the status codes of the native side."""

    def __init__(self, code, message, help=""):
        super().__init__(message)
        self.code = code
        self.help = help


def require(module, extra):
    """Import an optional package, or say what to type."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ProviderError("not found", f"the Python package of {module} is missing: {error}",
                            f"pip install 'mutirao[{extra}]'") from error


class BaseProvider:
    """One cluster of one provider.

    `config` was checked by the native side and has at least n_workers (a number or [least, most]), idle_timeout and
    worker_timeout in seconds; worker_memory is bytes. `options` in it go to the provider's class as they are.
    """

    def __init__(self, kind, name, config):
        self.kind = kind
        self.name = name
        self.config = config
        self.options = dict(config.get("options") or {})
        self._replace_after = 0
        self.prepare()

    def prepare(self):
        """Import what is needed; raise ProviderError when it is not there."""

    def tell(self, text):
        """Say how far the start is, from any thread. The driver puts here what sends it."""

    @property
    def least(self):
        n_workers = self.config["n_workers"]
        return n_workers[0] if isinstance(n_workers, list) else n_workers

    @property
    def most(self):
        n_workers = self.config["n_workers"]
        return n_workers[1] if isinstance(n_workers, list) else n_workers

    @property
    def is_adaptive(self):
        return self.least != self.most

    def seconds(self, key):
        return f"{self.config[key]:g}s"

    @property
    def death_timeout(self):
        """How long a worker looks for its scheduler, as it starts: a loaded machine is slow at that."""
        return f"{max(60, self.config['worker_timeout']):g}s"

    def dask_config(self):
        """Settings for scheduler and workers, wherever they inherit the driver's.

        A worker's death is counted by the native side, attempt by attempt, so Dask itself tries nothing again. What
        the engine holds cannot be spilled by Dask: it has its own budget below these bounds.
        """
        return {
            "distributed.scheduler.allowed-failures": 0,
            "distributed.scheduler.idle-timeout": self.seconds("idle_timeout"),
            "distributed.scheduler.no-workers-timeout": self.seconds("idle_timeout"),
            "distributed.scheduler.worker-ttl": self.seconds("worker_timeout"),
            # A process that died is started again by its nanny; where that takes longer, Dask gives the worker up.
            "distributed.deploy.lost-worker-timeout": self.death_timeout,
            "distributed.worker.memory.target": False,
            "distributed.worker.memory.spill": False,
            "distributed.worker.memory.pause": 0.9,
            "distributed.worker.memory.terminate": 0.95,
            "distributed.diagnostics.nvml": False,
            # What a task does happens outside of Python, where Dask's profiler sees nothing.
            "distributed.worker.profile.enabled": False,
            # Every process looks at itself fifty times a second otherwise, on processors that tasks want.
            "distributed.admin.tick.interval": "500ms",
            "distributed.admin.system-monitor.interval": "2s",
            "distributed.worker.memory.monitor-interval": "500ms",
            "distributed.admin.log-length": 2000,
        }

    def describe(self):
        return f"{self.kind} {self.name}"

    def announce(self):
        """A handle for what open() makes before the cluster itself can be told of; None where its name is enough."""
        return None

    def open(self):
        """Make the cluster; blocks. Gives what has scheduler_address, close() and perhaps security."""
        raise NotImplementedError

    def scale(self, cluster):
        """Let a cluster grow and shrink between the bounds, where they differ."""
        if self.is_adaptive:
            cluster.adapt(minimum=self.least, maximum=self.most)

    def replace_lost(self, cluster):
        """Start what Dask gave up and counts as wanted all the same. It looks once after each death, and a worker that
        is away just then, for whatever reason, is closed for good: two deaths at the wrong moments are enough. One that
        took too long to start stays in its list, and is never tried again. Threads: any; often."""
        if isinstance(cluster, SpecCluster) and time.monotonic() >= self._replace_after and _lost(cluster):
            self._replace_after = time.monotonic() + REPLACE_SECONDS
            cluster.loop.add_callback(_replace, cluster)

    def handle(self, cluster):
        """What reap() needs to find the cluster from another process or machine."""
        return {"name": self.name, "scheduler": cluster.scheduler_address}

    def close(self, cluster):
        cluster.close()

    def reap(self, handle):
        """End what is left of the cluster, given its handle, or None when only the name is known. Says whether there
        was something."""
        return False


def _lost(cluster):
    """Names of workers that a cluster wants and does not have. While it starts some, those are not in its list yet and
    not lost either: it is looked at afterwards."""
    lock = getattr(cluster, "_lock", None)
    if lock is None or lock.locked():
        return []
    gone = [name for name, worker in list(cluster.workers.items()) if _is_gone(worker)]
    return [*gone, *(set(cluster.worker_spec) - set(cluster.workers))]


def _is_gone(worker):
    return getattr(worker, "status", None) in (Status.closed, Status.failed) or _did_not_start(worker)


def _did_not_start(worker):
    """A job, or a process by SSH, that is in the list was started; one whose start failed is as it was made."""
    return isinstance(worker, ProcessInterface) and worker.status == Status.created and not worker.lock.locked()


async def _replace(cluster):
    """In the cluster's own loop. What it wants stays as it is: how scale() counts differs, in jobs or in their workers."""
    try:
        for name in _lost(cluster):
            if (worker := cluster.workers.pop(name, None)) is not None and _did_not_start(worker):
                await worker.close()  # it may have come half the way
                worker.status = Status.closed
        await cluster._correct_state()
    except Exception as error:
        log.warning("starting lost workers anew: %s: %s", type(error).__name__, error)
