"""Providers of machines elsewhere, as their installed classes take them, with the network replaced: the arguments are
accepted, what fails while it is made is ended, and a reaper finds the cluster by its name."""

import asyncio
import inspect
import json
import math
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
from distributed import Scheduler, SpecCluster
from distributed.core import Status
from distributed.deploy.spec import ProcessInterface

from native_side import PATIENCE, ROOT

sys.path.insert(0, str(ROOT / "python"))

from mutirao.dask import providers  # noqa: E402
from test_providers import WAIT, greeted, reap  # noqa: E402

NAME = "mutirao-20260101-000000-0123abcd-compute-1"
CONFIG = {"n_workers": [2, 8], "idle_timeout": 1200, "worker_timeout": 60, "worker_memory": 8 << 30}


class Recorder:
    """An HTTP server that answers by a function of (method, path, body) → (status, text)."""

    def __init__(self, answer):
        self.requests = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                path = self.path.split("?")[0]
                recorder.requests.append((self.command, path, body))
                status, text = answer(self.command, path, body)
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/xml" if text.startswith("<") else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, method):
        return [request for request in list(self.requests) if request[0] == method]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def serve():
    servers = []

    def start(answer):
        servers.append(Recorder(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def accepted(cls, arguments):
    """Bind arguments to a class as Python would, through the constructors that pass on what they do not know."""
    left = dict(arguments)
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = inspect.signature(base.__init__).parameters
        left = {name: value for name, value in left.items() if name not in parameters}
        if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
            break
    assert not left, f"{cls.__name__} does not take {sorted(left)}"


# ---- workers that a cluster lost


PROCESSES = 4  # of each job


class Job(ProcessInterface):
    """A job of a batch system that has no machines."""

    begun, refused = [], set()
    released = None

    def __init__(self, scheduler, name):
        super().__init__(name=name)
        self.name = name

    async def start(self):
        Job.begun.append(self.name)
        if Job.released:
            await Job.released.wait()
        if self.name in Job.refused:
            raise RuntimeError("the queue is closed")
        await super().start()


class Jobs(SpecCluster):
    """A cluster that counts as those of dask_jobqueue do."""

    def __init__(self, count):
        job = {"cls": Job, "options": {}, "group": [f"-{number}" for number in range(PROCESSES)]}
        options = {"host": "127.0.0.1", "port": 0, "dashboard": False}
        super().__init__(workers=dict.fromkeys(range(count), job), worker=job, asynchronous=True,
                         scheduler={"cls": Scheduler, "options": options})

    def scale(self, n=None, jobs=0, memory=None, cores=None):
        return super().scale(jobs if n is None else math.ceil(n / PROCESSES), memory=memory, cores=cores)


def test_lost_workers_are_asked_for_again_and_not_without_end():
    asyncio.run(asyncio.wait_for(lose_workers(), PATIENCE))


async def lose_workers():
    provider = providers.make("local", NAME, CONFIG)
    Job.begun.clear()

    async def replace(*names):
        """Look often, as a driver does, until these are up again; no other is begun."""
        Job.begun.clear()
        provider._replace_after = 0
        for _ in range(3):
            provider.replace_lost(cluster)
        while len(cluster.workers) < 4 or any(job.status != Status.running for job in cluster.workers.values()):
            await asyncio.sleep(0.01)
        assert sorted(Job.begun) == sorted(names) and sorted(cluster.worker_spec) == [0, 1, 2, 3]

    async with Jobs(4) as cluster:
        await replace()
        await cluster.workers[1].close()  # it ended
        del cluster.workers[2]  # Dask gave it up
        await replace(1, 2)

        Job.refused.add(3)
        provider._replace_after = 0
        del cluster.workers[3]
        provider.replace_lost(cluster)
        while cluster.workers.get(3) is None or cluster._lock.locked():
            await asyncio.sleep(0.01)
        assert cluster.workers[3].status == Status.created
        Job.refused.clear()
        await replace(3)

        # Those that are being opened are not lost.
        Job.released = asyncio.Event()
        Job.begun.clear()
        await cluster.workers[0].close()
        for _ in range(3):
            provider._replace_after = 0
            provider.replace_lost(cluster)
            while not Job.begun:
                await asyncio.sleep(0.01)
        assert provider._replace_after == 0 and Job.begun == [0]
        Job.released.set()
        Job.released = None
        await replace()


# ---- coiled


COILED = {**CONFIG, "region": "sa-east-1", "spot_policy": "spot_with_fallback", "worker_cores": 4, "software": "data/mutirao",
          "instance_type": ["m7g.xlarge"], "arm": True, "workspace": "data", "tags": {"team": "x"}, "environment": {"A": 1}}


def test_coiled_takes_the_arguments():
    coiled = pytest.importorskip("coiled")
    arguments = providers.make("coiled", NAME, COILED).arguments()
    inspect.signature(coiled.Cluster.__init__).bind(None, **arguments)
    assert arguments["n_workers"] == [2, 8] and arguments["region"] == "sa-east-1"
    assert arguments["spot_policy"] == "spot_with_fallback" and arguments["worker_memory"] == "8 GiB"
    assert arguments["idle_timeout"] == arguments["no_client_timeout"] == "20 minutes" and arguments["shutdown_on_close"]
    assert arguments["name"] == NAME and arguments["tags"]["mutirao"] == NAME


@pytest.mark.parametrize("exists", [True, False])
def test_coiled_is_reaped_by_name(start_driver, serve, tmp_path, exists):
    pytest.importorskip("coiled")

    def answer(method, path, _):
        if path.endswith("/memberships"):
            account = {"slug": "data", "name": "data", "id": 1, "active": True}
            return 200, json.dumps([{"account": account, "is_admin": False, "is_default_account": True}])
        if path.endswith("/user/me"):
            return 200, '{"id": 1, "username": "somebody"}'
        if f"/name/{NAME}" in path:
            return (200, '{"id": 77}') if exists else (404, '{"detail": "no"}')
        return 200, "{}"

    server = serve(answer)
    driver = start_driver(DASK_COILED__SERVER=server.url, DASK_COILED__TOKEN="t-0123456789", DASK_COILED__USER="somebody",
                          DASK_COILED__WORKSPACE="data", HOME=str(tmp_path), DASK_CONFIG=str(tmp_path))
    assert reap(driver, "coiled", {**CONFIG, "workspace": "data"}, None, name=NAME) == exists
    deleted = [path for _, path, _ in server.of("DELETE")]
    assert deleted == (["/api/v2/clusters/account/data/id/77"] if exists else [])


# ---- kubernetes


KUBERNETES = {**CONFIG, "image": "registry.example/mutirao:0.1", "namespace": "data", "worker_cores": 4, "environment": {"A": 1}}
PLACE = f"/apis/kubernetes.dask.org/v1/namespaces/data/daskclusters/{NAME}"


@pytest.fixture
def kubernetes(serve, tmp_path):
    """An API server that makes clusters and has no scheduler for them, and the environment that leads there."""
    pytest.importorskip("dask_kubernetes.operator")
    made = {}

    def answer(method, path, body):
        if path.rstrip("/") == "/version":
            return 200, '{"major": "1", "minor": "33", "gitVersion": "v1.33.0"}'
        if method == "POST" and path.endswith("/daskclusters"):
            made[NAME] = {**json.loads(body), "status": {"phase": "Running"}}
            return 201, json.dumps(made[NAME])
        if method == "GET" and path.endswith("/daskclusters"):
            return 200, json.dumps({"kind": "DaskClusterList", "items": list(made.values())})
        if path == PLACE and made:
            return 200, json.dumps(made.pop(NAME) if method == "DELETE" else made[NAME])
        reason = "Forbidden" if "pods" in path else "NotFound"
        return 403 if "pods" in path else 404, json.dumps({"kind": "Status", "status": "Failure", "reason": reason, "message": reason})

    server = serve(answer)
    config = tmp_path / "kubeconfig"
    config.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "data"}}],
        "clusters": [{"name": "k", "cluster": {"server": server.url}}], "users": [{"name": "u", "user": {"token": "t"}}]}))
    return server, made, {"KUBECONFIG": str(config)}


def test_kubernetes_is_asked_for_the_cluster_and_it_is_deleted_when_it_fails(start_driver, kubernetes):
    server, made, env = kubernetes
    driver = greeted(start_driver(**env))
    driver.send("start", provider="kubernetes", name=NAME, config=KUBERNETES, wait=WAIT)
    assert driver.wait_for("failed_start", "started")["type"] == "failed_start"
    (_, path, body), = server.of("POST")
    spec = json.loads(body)
    worker = spec["spec"]["worker"]["spec"]["containers"][0]
    assert path.endswith("/namespaces/data/daskclusters") and spec["metadata"]["name"] == NAME
    assert spec["spec"]["idleTimeout"] == 1200 and worker["image"] == KUBERNETES["image"]
    assert worker["resources"]["limits"] == {"memory": str(8 << 30), "cpu": "4"} and "--death-timeout" in worker["args"]
    assert {"name": "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "value": "0"} in worker["env"]
    driver.end_input()
    driver.exit_code()
    assert not made and server.of("DELETE")[0][1] == PLACE


def test_kubernetes_is_reaped_by_name(start_driver, kubernetes):
    server, made, env = kubernetes
    made[NAME] = {"apiVersion": "kubernetes.dask.org/v1", "kind": "DaskCluster", "metadata": {"name": NAME, "namespace": "data"}}
    assert reap(start_driver(**env), "kubernetes", KUBERNETES, None, name=NAME)
    assert not made
    assert not reap(start_driver(**env), "kubernetes", KUBERNETES, None, name=NAME)


# ---- clouds


CLOUDS = {"aws": {"region": "sa-east-1", "spot_policy": "spot", "instance_type": "m7i.large", "tags": {"team": "x"}},
          "azure": {"region": "brazilsouth", "resource_group": "g", "instance_type": "Standard_D4s_v5"},
          "gcp": {"region": "southamerica-east1-a", "project": "p", "spot_policy": "spot", "instance_type": "n2-standard-4"}}


def cloud(kind):
    try:
        return providers.make(kind, NAME, {**CONFIG, **CLOUDS[kind], "image": "registry.example/mutirao:0.1"})
    except providers.ProviderError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("kind", sorted(CLOUDS))
def test_clouds_take_the_arguments_and_machines_get_our_name(kind):
    provider = cloud(kind)
    arguments = provider.arguments()
    accepted(provider.make, arguments)
    assert arguments["security"] is True
    assert arguments["scheduler_options"] == {"idle_timeout": "1200s"} and arguments["auto_shutdown"]
    named = provider.named_class().__new__(provider.named_class())
    named.uuid = "random"
    prefix = provider.handle(SimpleNamespace(scheduler_address="tcp://x:1"))["machines"]
    assert prefix == f"dask-{named.uuid}-*" and named.uuid != "random"


def test_aws_machines_are_reaped_by_their_tag(start_driver, serve):
    cloud("aws")

    def answer(_, __, body):
        action = parse_qs(body)["Action"][0]
        found = "<item><instancesSet><item><instanceId>i-1</instanceId></item></instancesSet></item>"
        inside = f"<reservationSet>{found}</reservationSet>" if action == "DescribeInstances" else "<instancesSet/>"
        return 200, f'<{action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">{inside}</{action}Response>'

    server = serve(answer)
    driver = start_driver(AWS_ENDPOINT_URL=server.url, AWS_ACCESS_KEY_ID="k", AWS_SECRET_ACCESS_KEY="s")
    assert reap(driver, "aws", {**CONFIG, **CLOUDS["aws"]}, None, name=NAME)
    describe, terminate = [parse_qs(body) for _, _, body in server.of("POST")]
    assert describe["Filter.1.Name"] == ["tag:mutirao"] and describe["Filter.1.Value.1"] == [NAME]
    assert terminate["Action"] == ["TerminateInstances"] and terminate["InstanceId.1"] == ["i-1"]


def test_azure_machines_are_reaped_by_their_name(monkeypatch):
    provider = cloud("azure")
    import dask_cloudprovider.azure.azurevm as azure

    class Kind:
        def __init__(self, *names):
            self.names = list(names)

        def list(self, group):
            return [SimpleNamespace(name=name, tags={}) for name in self.names]

        def begin_delete(self, group, name):
            assert group == "g"
            self.names.remove(name)
            return SimpleNamespace(wait=lambda: None)

    prefix = providers.make("azure", NAME, provider.config).handle(SimpleNamespace(scheduler_address=""))["machines"][:-1]
    machines, disks = Kind(prefix + "scheduler", "dask-other-scheduler"), Kind(prefix + "disk")
    compute = SimpleNamespace(virtual_machines=machines, disks=disks)
    network = SimpleNamespace(network_interfaces=Kind(), public_ip_addresses=Kind("theirs"))
    monkeypatch.setattr(azure, "_get_default_subscription", lambda: "s")
    monkeypatch.setattr(azure, "DefaultAzureCredential", lambda: None)
    monkeypatch.setattr(azure, "ComputeManagementClient", lambda *_: compute)
    monkeypatch.setattr(azure, "NetworkManagementClient", lambda *_: network)
    assert provider.reap(None)
    assert machines.names == ["dask-other-scheduler"] and disks.names == [] and network.public_ip_addresses.names == ["theirs"]
    assert not provider.reap(None)


def test_google_machines_are_reaped_by_their_name(monkeypatch):
    provider = cloud("gcp")
    import googleapiclient.discovery as discovery

    prefix = provider.handle(SimpleNamespace(scheduler_address=""))["machines"][:-1]
    names = [prefix + "scheduler", "dask-other-scheduler"]

    def call(value):
        return SimpleNamespace(execute=lambda: value() if callable(value) else value)

    instances = SimpleNamespace(
        list=lambda project, zone, filter: call({"items": [{"name": name} for name in names]}),
        delete=lambda project, zone, instance: call(lambda: names.remove(instance)))
    monkeypatch.setattr(discovery, "build", lambda *_, **__: SimpleNamespace(instances=lambda: instances))
    assert provider.reap(None) and names == ["dask-other-scheduler"]
    assert not provider.reap(None)


# ---- the other batch systems


@pytest.mark.parametrize("kind", ["slurm", "pbs", "sge", "lsf", "oar", "moab", "htcondor"])
def test_batch_systems_take_the_arguments(kind, tmp_path, monkeypatch):
    pytest.importorskip("dask_jobqueue")
    monkeypatch.chdir(tmp_path)
    provider = providers.make(kind, NAME, {**CONFIG, "worker_cores": 2, "queue": "q", "account": "a", "walltime": "01:00:00"})
    cluster = provider.make()
    try:
        script = cluster.job_script()
        assert NAME in script and "--nthreads 1" in script and "--death-timeout 60" in script
        assert f"--tls-key {tmp_path}/.{NAME}.keys/" in script and "PRIVATE KEY" not in script
    finally:
        provider.close(cluster)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "coiled", None)
    with pytest.raises(providers.ProviderError) as raised:
        providers.make("coiled", NAME, CONFIG)
    assert raised.value.help == "pip install 'mutirao[coiled]'"
