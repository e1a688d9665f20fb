"""Virtual machines of AWS, Azure and Google Cloud: dask_cloudprovider.

Its classes give a cluster a random id and name each machine dask-<id>-…; here the id follows from the cluster's name, so
that whoever knows the name finds the machines.
"""

import hashlib

from mutirao.dask.providers.base import BaseProvider, ProviderError, require

CLASSES = {"aws": ("dask_cloudprovider.aws", "EC2Cluster"), "azure": ("dask_cloudprovider.azure", "AzureVMCluster"),
           "gcp": ("dask_cloudprovider.gcp", "GCPCluster")}


def machine_prefix(name):
    return f"dask-{cluster_id(name)}-"


def cluster_id(name):
    return hashlib.sha256(name.encode()).hexdigest()[:12]


class Provider(BaseProvider):
    def prepare(self):
        module, name = CLASSES[self.kind]
        self.make = getattr(require(module, "cloudprovider"), name)

    def named_class(self):
        """The provider's class with a fixed id in place of a random one."""
        return type(self.make.__name__, (self.make,), {"uuid": property(lambda _: cluster_id(self.name), lambda _, value: None)})

    def arguments(self):
        config = self.config
        environment = {name: str(value) for name, value in (config.get("environment") or {}).items()}
        for key, value in self.dask_config().items():
            environment["DASK_" + key.upper().replace(".", "__").replace("-", "_")] = str(value)
        arguments = {
            "n_workers": self.least, "env_vars": environment, "name": self.name,
            "security": True,  # keys made for the cluster
            "worker_options": {"nthreads": config.get("threads_per_worker") or 1, "death_timeout": self.death_timeout},
            "scheduler_options": {"idle_timeout": self.seconds("idle_timeout")},
        }
        if config.get("image"):
            arguments["docker_image"] = config["image"]
        instance = config.get("instance_type")
        instance = instance[0] if isinstance(instance, list) else instance
        spot = config.get("spot_policy", "on-demand") != "on-demand"
        arguments.update(getattr(self, f"_{self.kind}")(instance, spot))
        return {**arguments, **self.options}

    def _aws(self, instance, spot):
        tags = {"mutirao": self.name, **{key: str(value) for key, value in (self.config.get("tags") or {}).items()}}
        arguments = {"region": self.config.get("region"), "spot": spot, "instance_tags": tags, "volume_tags": tags,
                     "auto_shutdown": True}
        return {**arguments, "worker_instance_type": instance} if instance else arguments

    def _azure(self, instance, spot):
        if spot:
            raise ProviderError("unsupported", "spot machines on azure", "set spot_policy: on-demand, or extra_vm_options under options")
        arguments = {"location": self.config.get("region"), "resource_group": self.config.get("resource_group"),
                     "auto_shutdown": True}
        return {**arguments, "vm_size": instance} if instance else arguments

    def _gcp(self, instance, spot):
        arguments = {"zone": self.config.get("region"), "projectid": self.config.get("project"), "preemptible": spot,
                     "auto_shutdown": True}
        return {**arguments, "worker_machine_type": instance, "scheduler_machine_type": instance} if instance else arguments

    def open(self):
        cluster = self.named_class()(**self.arguments())
        self.scale(cluster)
        return cluster

    def handle(self, cluster):
        return {**super().handle(cluster), "machines": machine_prefix(self.name) + "*", "region": self.config.get("region")}

    def reap(self, handle):
        return getattr(self, f"_reap_{self.kind}")(machine_prefix(self.name))

    def _reap_aws(self, prefix):
        session = require("botocore.session", "cloudprovider").get_session()
        client = session.create_client("ec2", region_name=self.config.get("region"))
        found = client.describe_instances(Filters=[
            {"Name": "tag:mutirao", "Values": [self.name]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}])
        ids = [instance["InstanceId"] for group in found["Reservations"] for instance in group["Instances"]]
        if ids:
            client.terminate_instances(InstanceIds=ids)
        return bool(ids)

    def _reap_azure(self, prefix):
        """Machines first: what they use can only go after them."""
        azure = require("dask_cloudprovider.azure.azurevm", "cloudprovider")
        subscription = self.options.get("subscription_id") or azure._get_default_subscription()
        credentials = azure.DefaultAzureCredential()
        compute = azure.ComputeManagementClient(credentials, subscription)
        network = azure.NetworkManagementClient(credentials, subscription)
        group = self.config["resource_group"]
        ours = [machine for machine in compute.virtual_machines.list(group) if machine.name.startswith(prefix)]
        for deletion in [compute.virtual_machines.begin_delete(group, machine.name) for machine in ours]:
            deletion.wait()
        mine = cluster_id(self.name)
        found = bool(ours)
        for kind in (network.network_interfaces, network.public_ip_addresses, compute.disks):
            listed = kind.list_by_resource_group(group) if hasattr(kind, "list_by_resource_group") else kind.list(group)
            for item in listed:
                if (item.tags or {}).get("cluster-id") == mine or item.name.startswith(prefix):
                    kind.begin_delete(group, item.name).wait()
                    found = True
        return found

    def _reap_gcp(self, prefix):
        discovery = require("googleapiclient.discovery", "cloudprovider")
        compute = discovery.build("compute", "v1", cache_discovery=False)
        place = {"project": self.config["project"], "zone": self.config["region"]}
        found = compute.instances().list(**place, filter=f"name:{prefix}*").execute().get("items", [])
        ours = [machine["name"] for machine in found if machine["name"].startswith(prefix)]
        for name in ours:
            compute.instances().delete(**place, instance=name).execute()
        return bool(ours)
