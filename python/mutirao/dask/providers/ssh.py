"""Hosts that are reached by SSH: distributed.SSHCluster. The first host gets the scheduler."""

import asyncio
import socket

from distributed import Client, SSHCluster
from distributed.comm import get_address_host_port

from mutirao.dask.providers.base import BaseProvider, ProviderError, require


class Provider(BaseProvider):
    def prepare(self):
        require("asyncssh", "ssh")

    def connect_options(self):
        ssh = self.config.get("ssh") or {}
        options = {"port": ssh.get("port", 22), "connect_timeout": 30}
        if "user" in ssh:
            options["username"] = ssh["user"]
        if "key_file" in ssh:
            options["client_keys"] = [ssh["key_file"]]
        if "known_hosts" in ssh:
            options["known_hosts"] = ssh["known_hosts"]
        return options

    def open(self):
        hosts = self.config["hosts"]
        worker = {"nthreads": self.config.get("threads_per_worker") or 1, "death_timeout": self.death_timeout}
        if self.config.get("worker_memory"):
            worker["memory_limit"] = self.config["worker_memory"]
        arguments = {
            "connect_options": self.connect_options(),
            "worker_options": worker,
            "scheduler_options": {"port": 0, "dashboard_address": "127.0.0.1:0", "idle_timeout": self.seconds("idle_timeout")},
            "remote_python": (self.config.get("ssh") or {}).get("python"),
            **self.options,
        }
        try:
            return SSHCluster(hosts, **arguments)
        except OSError as error:
            raise ProviderError("unavailable", f"cannot reach {' or '.join(sorted(set(hosts)))} by SSH: {error}",
                                "see hosts and ssh in the config; `ssh HOST true` must work without a password") from error

    def reap(self, handle):
        """Through the scheduler, which ends its workers. Without its address the idle timeouts of both are what is left."""
        return bool(handle) and asyncio.run(shut_down(handle["scheduler"]))


async def shut_down(address):
    """Ask a scheduler to end with its workers. Says whether there was one."""
    try:
        # Dask would try again and again at a port where nobody is.
        socket.create_connection(get_address_host_port(address), timeout=15).close()
    except ConnectionRefusedError:
        return False
    except OSError:
        pass
    try:
        client = await Client(address, asynchronous=True, set_as_default=False, timeout=15)
    except (OSError, asyncio.TimeoutError):
        return False
    try:
        await client.shutdown()
    except (OSError, asyncio.TimeoutError):
        pass
    finally:
        await client.close()
    return True
