"""The systems that are compared: which jobs each does, and the command line of a job."""

import importlib.util
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

BENCH = Path(__file__).resolve().parent
JOBS = ("J1", "J2", "J3", "J4", "J5", "J7")  # J6, the full size, only when it is asked for
EVERY = (*JOBS, "J6")

# Name of the Python module, and the jobs.
PEERS = {
    "duckdb": ("duckdb", EVERY),
    "polars": ("polars", JOBS),
    "dask": ("distributed", JOBS),
    "dask_csv": ("distributed", ("J1", "J2", "J3", "J4", "J5")),  # J7 reads no CSV
    "pyarrow": ("pyarrow", ("J1", "J4", "J7")),  # streaming; it has no join or group of its own that would do J2 and J5 alone
    "spark": ("pyspark", JOBS),
}
DEFAULT = ("mutirao", "duckdb", "polars", "dask", "pyarrow")


def installed(system):
    return system == "mutirao" or importlib.util.find_spec(PEERS[system][0]) is not None


def does(system, job):
    return system == "mutirao" or job in PEERS[system][1]


def version_of(system, program):
    if system == "mutirao":
        return subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    return version(PEERS[system][0])


def command(system, job, program, data, out):
    """REQUIRES: `out` is an empty folder."""
    if system != "mutirao":
        return [sys.executable, BENCH / "jobs" / f"{system}_job.py", job, data, out]
    # J4 is J1 from the ZIP, J6 is J2 at another size.
    plan = {"J4": "J1", "J6": "J2"}.get(job, job)
    call = [program, "run", BENCH / "jobs" / f"{plan}.yaml", "-p", f"input={data}", "-p", f"output={out}/dataset"]
    if job == "J4":
        call += ["-p", "establishments=est.zip"]
    if job == "J6":
        call += ["--memory", "2GiB"]
    return call
