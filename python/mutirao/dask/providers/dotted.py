"""Any class of which an instance has scheduler_address and close(); its arguments are the options, as they are."""

import importlib
import inspect

from mutirao.dask.providers.base import BaseProvider, ProviderError


class Provider(BaseProvider):
    def prepare(self):
        module, _, attribute = self.kind.rpartition(".")
        try:
            self.make = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ProviderError("not found", f"cluster provider {self.kind}: {error}",
                                "install its package beside mutirao, or put its folder on PYTHONPATH") from error

    def open(self):
        arguments = dict(self.options)
        # A class that takes a name gets ours, so that what it makes can be found by it.
        if "name" not in arguments and "name" in inspect.signature(self.make).parameters:
            arguments["name"] = self.name
        try:
            cluster = self.make(**arguments)
        except TypeError as error:
            raise ProviderError("invalid", f"cluster provider {self.kind}: {error}", "see its arguments under options") from error
        for needed in ("scheduler_address", "close"):
            if not hasattr(cluster, needed):
                raise ProviderError("invalid", f"cluster provider {self.kind}: its instances have no {needed}")
        if self.is_adaptive and hasattr(cluster, "adapt"):
            self.scale(cluster)
        return cluster

    def reap(self, handle):
        """Through the class's own `reap(name, handle)`, where it has one."""
        reap = getattr(self.make, "reap", None)
        return bool(reap(self.name, handle)) if reap else False
