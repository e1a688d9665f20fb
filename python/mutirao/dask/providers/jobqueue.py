"""Batch systems: dask_jobqueue. The scheduler lives in the driver; each worker is a job under the cluster's name."""

import inspect
import shutil
import subprocess

from mutirao.dask.providers.base import BaseProvider, ProviderError, require

CLASSES = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster", "lsf": "LSFCluster", "oar": "OARCluster",
           "moab": "MoabCluster", "htcondor": "HTCondorCluster"}

# How to end all jobs of a name; what lists them first ends in the ids that are then given to the second command.
CANCEL = {
    "slurm": (None, ["scancel", "--name={name}"]),
    "pbs": (["qselect", "-N", "{name}"], ["qdel"]),
    "sge": (None, ["qdel", "{name}"]),
    "lsf": (None, ["bkill", "-J", "{name}", "0"]),
    "oar": (None, ["oardel", "--sql", "job_name = '{name}'"]),
    "moab": (["mjobctl", "-q", "jobname={name}"], ["canceljob"]),
    "htcondor": (None, ["condor_rm", "-constraint", 'JobBatchName == "{name}"']),
}


class Provider(BaseProvider):
    def prepare(self):
        self.module = require("dask_jobqueue", "jobqueue")

    def arguments(self):
        """Those of the class, for one worker a job."""
        config = self.config
        arguments = {
            "name": self.name, "job_name": self.name, "cores": config.get("worker_cores") or 1, "processes": 1,
            "memory": f"{config.get('worker_memory') or 4 << 30}B", "death_timeout": self.death_timeout.rstrip("s"),
            "worker_extra_args": ["--nthreads", str(config.get("threads_per_worker") or 1)],
            "scheduler_options": {"dashboard_address": "127.0.0.1:0"},
        }
        # Not every batch system has each; who pays is a project for some.
        taken = inspect.signature(getattr(self.module, CLASSES[self.kind]).job_cls.__init__).parameters
        for key, names in (("queue", ["queue"]), ("account", ["account", "project"])):
            name = next((name for name in names if name in taken), None)
            if config.get(key) and name:
                arguments[name] = config[key]
        if self.kind == "htcondor":
            arguments["disk"] = "4 GiB"
            arguments["job_extra_directives"] = {"batch_name": self.name}
        else:
            arguments["walltime"] = config.get("walltime", "02:00:00")
        return {**arguments, **self.options}

    def open(self):
        cluster = getattr(self.module, CLASSES[self.kind])(**self.arguments())
        try:
            if self.is_adaptive:
                self.scale(cluster)
            else:
                cluster.scale(jobs=self.least)
        except BaseException:
            cluster.close()
            raise
        return cluster

    def reap(self, handle):
        listing, cancel = CANCEL[self.kind]
        words = [word.format(name=self.name) for word in cancel]
        if shutil.which(words[0]) is None:
            raise ProviderError("not found", f"{words[0]} is not in PATH", f"run this on a machine of the {self.kind} cluster")
        if listing:
            listed = subprocess.run([word.format(name=self.name) for word in listing], capture_output=True, text=True, timeout=60)
            ids = listed.stdout.split()
            if not ids:
                return False
            words += ids
        return subprocess.run(words, capture_output=True, timeout=60).returncode == 0
