"""Hosts that are reached by SSH, as distributed.SSHCluster has them: the first host gets the scheduler."""

import asyncio
import hashlib
import ssl as tls
import sys
import time

from distributed import SpecCluster
from distributed.comm import get_address_host_port
from distributed.deploy import ssh

from mutirao.dask.keys import Authority
from mutirao.dask.providers.base import BaseProvider, ProviderError, require

REAP_SECONDS = 60
ANSWER_SECONDS = 10

GONE, UNKNOWN = "gone", "unknown"
NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")  # as versions of OpenSSL call it


class Provider(BaseProvider):
    """Whoever reaches a scheduler runs code as its user, so the processes have keys made for the cluster. They get them
    through the SSH connection that starts them, and end with it."""

    def prepare(self):
        require("asyncssh", "ssh")
        self.authority = self.certificate = None

    def connect_options(self):
        way = self.config.get("ssh") or {}
        options = {"port": way.get("port", 22), "connect_timeout": 30}
        if "user" in way:
            options["username"] = way["user"]
        if "key_file" in way:
            options["client_keys"] = [way["key_file"]]
        if "known_hosts" in way:
            options["known_hosts"] = way["known_hosts"]
        return options

    def arguments(self):
        """Those of SpecCluster, made from the ones that SSHCluster takes."""
        hosts = self.config["hosts"]
        options = dict(self.options)
        connect = options.pop("connect_options", self.connect_options())
        python = options.pop("remote_python", None) or (self.config.get("ssh") or {}).get("python") or sys.executable
        connect = connect if isinstance(connect, list) else [connect] * len(hosts)
        python = python if isinstance(python, list) else [python] * len(hosts)
        if not len(connect) == len(python) == len(hosts):
            raise ProviderError("invalid", f"{len(hosts)} hosts with {len(connect)} connect_options and {len(python)} "
                                "remote_python", "give one, or one for each host")
        worker = {"nthreads": self.config.get("threads_per_worker") or 1, "death_timeout": self.death_timeout}
        if self.config.get("worker_memory"):
            worker["memory_limit"] = self.config["worker_memory"]
        worker = options.pop("worker_options", worker)
        worker_class = options.pop("worker_class", "distributed.Nanny")
        scheduler = options.pop("scheduler_options", {"port": 0, "dashboard_address": "127.0.0.1:0",
                                                      "idle_timeout": self.seconds("idle_timeout")})
        reached = [{"address": host, "connect_options": way, "remote_python": f"{interpreter} -m mutirao.dask.keyed"}
                   for host, way, interpreter in zip(hosts, connect, python)]
        return {
            "scheduler": {"cls": with_keys(ssh.Scheduler, self.keys_of_scheduler), "options": {**reached[0], "kwargs": scheduler}},
            "workers": {number: {"cls": with_keys(ssh.Worker, lambda: self.authority.line_for(*self.authority.issue("worker"))),
                                 "options": {**host, "kwargs": worker, "worker_class": worker_class}}
                        for number, host in enumerate(reached[1:])},
            "name": self.name, "security": self.authority.security("client"), **options,
        }

    def keys_of_scheduler(self):
        issued = self.authority.issue("scheduler")
        self.certificate = fingerprint(issued[0])
        return self.authority.line_for(*issued)

    def open(self):
        self.authority = Authority(self.name)
        try:
            return SpecCluster(**self.arguments())
        except OSError as error:
            hosts = " or ".join(sorted(set(self.config["hosts"])))
            raise ProviderError("unavailable", f"cannot reach {hosts} by SSH: {error}",
                                "see hosts and ssh in the config; `ssh HOST true` must work without a password") from error

    def handle(self, cluster):
        return {**super().handle(cluster), "certificate": self.certificate}

    def reap(self, handle):
        """The processes end when the connections of their driver do: see that they did. By its certificate a scheduler is
        told from what came to its place later."""
        known = (handle or {}).get("certificate")
        if not known:
            return False
        deadline = time.monotonic() + REAP_SECONDS
        found = False
        while (shown := fingerprint_at(handle["scheduler"])) != GONE:
            if shown not in (known, UNKNOWN):
                break
            found = found or shown == known
            if time.monotonic() > deadline:
                what = "is still there" if shown == known else "does not say whether it is still there"
                raise ProviderError("unavailable", f"the scheduler at {handle['scheduler']} {what}",
                                    "it ends by itself when it was idle for idle_timeout")
            time.sleep(0.5)
        return found


def with_keys(process, keys):
    """A class of processes by SSH, each of which is given keys of its own on its standard input: what keys() makes."""

    class WithKeys(process):
        async def start(self):
            giving = asyncio.create_task(self._give_keys())
            try:
                await super().start()
            finally:
                giving.cancel()

        async def _give_keys(self):
            while self.proc is None:
                await asyncio.sleep(0.01)
            self.proc.stdin.write(keys())

    WithKeys.__name__ = process.__name__
    return WithKeys


def fingerprint(certificate):
    """The hash of a certificate in PEM."""
    # As get_server_certificate() writes it, whoever wrote it first.
    text = tls.DER_cert_to_PEM_cert(tls.PEM_cert_to_DER_cert(certificate))
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint_at(address):
    """That of the certificate that is shown at an address; GONE when nothing listens there or something else than TLS,
    UNKNOWN when there is no telling: a network that is away says nothing of the machine behind it."""
    try:
        return fingerprint(tls.get_server_certificate(get_address_host_port(address), timeout=ANSWER_SECONDS))
    except ConnectionRefusedError:
        return GONE
    except tls.SSLError as error:
        return GONE if error.reason in NOT_TLS else UNKNOWN
    except OSError:
        return UNKNOWN
