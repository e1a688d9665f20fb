"""A scheduler that is there already. It is never closed by us."""

from distributed.security import Security

from mutirao.dask.providers.base import BaseProvider


class Existing:
    def __init__(self, address, security):
        self.scheduler_address = address
        self.security = security
        self.dashboard_link = ""

    def close(self):
        """It belongs to somebody else."""


class Provider(BaseProvider):
    def describe(self):
        return f"the scheduler at {self.config['address']}"

    def open(self):
        tls = self.config.get("tls") or {}
        security = None
        if tls:
            security = Security(require_encryption=True, tls_ca_file=tls["ca_file"], tls_client_cert=tls["cert"],
                                tls_client_key=tls["key"])
        return Existing(self.config["address"], security)
