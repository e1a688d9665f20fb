"""Where clusters come from: one module a provider, each with a class `Provider`."""

import importlib

from mutirao.dask.providers.base import BaseProvider, ProviderError

# Names of job files to modules here. Anything with a dot is a class of somebody else.
MODULES = {
    "local": "local", "address": "address", "ssh": "ssh", "kubernetes": "kubernetes", "coiled": "coiled",
    **{name: "jobqueue" for name in ("slurm", "pbs", "sge", "lsf", "oar", "moab", "htcondor")},
    **{name: "cloud" for name in ("aws", "azure", "gcp")},
}

__all__ = ["BaseProvider", "MODULES", "ProviderError", "make"]


def make(kind, name, config):
    """The provider of a kind, for one cluster. Raises ProviderError when its packages are missing."""
    module = MODULES.get(kind, "dotted" if "." in kind else None)
    if module is None:
        raise ProviderError("invalid", f'there is no cluster provider "{kind}"', f"there are: {', '.join(sorted(MODULES))}")
    return importlib.import_module(f"mutirao.dask.providers.{module}").Provider(kind, name, config)
