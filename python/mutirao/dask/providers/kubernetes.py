"""Kubernetes with the Dask operator: dask_kubernetes.operator.KubeCluster."""

from mutirao.dask.providers.base import BaseProvider, require


class Provider(BaseProvider):
    def prepare(self):
        self.operator = require("dask_kubernetes.operator", "kubernetes")

    @property
    def namespace(self):
        return self.config.get("namespace", "default")

    def arguments(self):
        limits = {}
        if self.config.get("worker_memory"):
            limits["memory"] = str(self.config["worker_memory"])
        if self.config.get("worker_cores"):
            limits["cpu"] = str(self.config["worker_cores"])
        environment = {name: str(value) for name, value in (self.config.get("environment") or {}).items()}
        for key, value in self.dask_config().items():
            environment["DASK_" + key.upper().replace(".", "__").replace("-", "_")] = str(value)
        arguments = {
            "name": self.name, "namespace": self.namespace, "image": self.config["image"], "n_workers": self.least,
            "env": environment, "idle_timeout": int(self.config["idle_timeout"]), "shutdown_on_close": True,
            "resource_timeout": int(self.config["idle_timeout"]), "quiet": True,
            "worker_command": ["dask-worker", "--nthreads", str(self.config.get("threads_per_worker") or 1), "--no-dashboard",
                               "--death-timeout", self.death_timeout],
        }
        if limits:
            arguments["resources"] = {"limits": limits, "requests": limits}
        return {**arguments, **self.options}

    def open(self):
        cluster = self.operator.KubeCluster(**self.arguments())
        self.scale(cluster)
        return cluster

    def handle(self, cluster):
        return {**super().handle(cluster), "namespace": self.namespace}

    def reap(self, handle):
        """Delete the cluster's resource: the operator deletes all that belongs to it."""
        objects = require("dask_kubernetes.operator._objects", "kubernetes")
        kr8s = require("kr8s", "kubernetes")
        import asyncio

        async def delete():
            try:
                cluster = await objects.DaskCluster.get(self.name, namespace=(handle or {}).get("namespace", self.namespace))
            except kr8s.NotFoundError:
                return False
            await cluster.delete()
            return True

        return asyncio.run(delete())
