"""Batch systems: dask_jobqueue. The scheduler lives in the driver; each worker is a job under the cluster's name.

Scheduler and workers have keys made for the cluster. A job finds those of its worker in a folder that only its user can
read, beside the files of the run, which all nodes see; the folder goes with the cluster.
"""

import inspect
import os
import shutil
import subprocess

from mutirao.dask.keys import Authority
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

    def keys_folder(self):
        """Where the keys of the workers lie. The name of a cluster is its own."""
        place = os.path.expanduser(os.path.expandvars(self.options.get("shared_temp_directory") or os.getcwd()))
        return os.path.join(os.path.abspath(place), f".{self.name}.keys")

    def make(self):
        """The cluster, without workers yet."""
        arguments = self.arguments()
        if arguments.get("protocol", "tls://").startswith("tls") and "security" not in arguments:
            arguments["security"] = Authority(self.name).security("scheduler", "worker", "client")
            arguments["shared_temp_directory"] = self.keys_folder()
            os.mkdir(self.keys_folder(), 0o700)
        try:
            return getattr(self.module, CLASSES[self.kind])(**arguments)
        except BaseException:
            self.remove_keys(None)
            raise

    def open(self):
        cluster = self.make()
        try:
            if self.is_adaptive:
                self.scale(cluster)
            else:
                cluster.scale(jobs=self.least)
        except BaseException:
            self.close(cluster)
            raise
        return cluster

    def announce(self):
        return {"name": self.name, "keys": self.keys_folder()}

    def handle(self, cluster):
        return {**super().handle(cluster), **self.announce()}

    def close(self, cluster):
        try:
            cluster.close()
        finally:
            for attribute in ("ca_file", "cert", "key"):  # files that would remove themselves, some time
                if (file := getattr(cluster, f"_job_{attribute}", None)) is not None:
                    file.close()
            self.remove_keys(None)

    def remove_keys(self, handle):
        folder = (handle or {}).get("keys") or self.keys_folder()
        # A handle comes from a store: nothing is removed that is not named like one of these.
        if os.path.basename(folder) == f".{self.name}.keys":
            shutil.rmtree(folder, ignore_errors=True)

    def reap(self, handle):
        self.remove_keys(handle)
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
