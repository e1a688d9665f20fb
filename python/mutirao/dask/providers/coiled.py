"""Machines rented by Coiled: coiled.Cluster."""

import inspect

from mutirao.dask.providers.base import BaseProvider, require

# Names of older versions for what is asked for here.
OLDER = {"spot_policy": "compute_purchase_option", "workspace": "account"}


class Provider(BaseProvider):
    def prepare(self):
        self.coiled = require("coiled", "coiled")

    def arguments(self):
        """Those of coiled.Cluster; what was not configured is left to Coiled."""
        config = self.config
        minutes = max(1, round(config["idle_timeout"] / 60))
        arguments = {
            "name": self.name, "n_workers": config["n_workers"], "shutdown_on_close": True,
            "idle_timeout": f"{minutes} minutes", "no_client_timeout": f"{minutes} minutes",
            "wait_for_workers": False, "show_widget": False, "unset_single_threading_variables": True,
            "worker_options": {"nthreads": config.get("threads_per_worker") or 1,
                               "death_timeout": self.death_timeout},
            "tags": {"mutirao": self.name, **{key: str(value) for key, value in (config.get("tags") or {}).items()}},
        }
        for key, name in (("region", "region"), ("spot_policy", "spot_policy"), ("software", "software"),
                          ("container", "container"), ("workspace", "workspace"), ("arm", "arm"),
                          ("worker_cores", "worker_cpu"), ("instance_type", "worker_vm_types"), ("environment", "environ")):
            if config.get(key) is not None:
                arguments[name] = config[key]
        if config.get("worker_memory"):
            arguments["worker_memory"] = f"{config['worker_memory'] / (1 << 30):g} GiB"
        if "environ" in arguments:
            arguments["environ"] = {key: str(value) for key, value in arguments["environ"].items()}
        taken = inspect.signature(self.coiled.Cluster.__init__).parameters
        for name, older in OLDER.items():
            if name in arguments and name not in taken:
                arguments[older] = arguments.pop(name)
        return {**arguments, **self.options}

    def open(self):
        return self.coiled.Cluster(**self.arguments())

    def handle(self, cluster):
        return {**super().handle(cluster), "workspace": self.config.get("workspace"), "id": getattr(cluster, "cluster_id", None)}

    def reap(self, handle):
        """By name: a cluster's name is unique in its workspace."""
        workspace = (handle or {}).get("workspace") or self.config.get("workspace")
        with self.coiled.Cloud(**({"workspace": workspace} if workspace else {})) as cloud:
            try:
                cluster_id = cloud.get_cluster_by_name(self.name)
            except Exception as error:
                if type(error).__name__ == "DoesNotExist":
                    return False
                raise
            cloud.delete_cluster(cluster_id=cluster_id)
            return True
