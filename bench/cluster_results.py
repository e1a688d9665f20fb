"""Keeps what the programs cluster_*.py measure: one file a kind of processor, the latest figures of each program."""

import datetime
import json
import os
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "results" / "cluster"


def cpu_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def pin(cpus):
    """Let this process and all that it starts run on so many processors; gives how many there are."""
    own = sorted(os.sched_getaffinity(0))[:cpus]
    os.sched_setaffinity(0, own)
    return len(own)


def keep(folder, program, figures):
    """Put a program's figures in the place of its last ones."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (re.sub(r"[^a-z0-9]+", "-", cpu_name().lower()).strip("-") + ".json")
    known = json.loads(path.read_text()) if path.is_file() else {"machine": {"cpu": cpu_name()}}
    known[program] = {"date": datetime.date.today().isoformat(), "cpus": len(os.sched_getaffinity(0)), **figures}
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    print(f"kept in {path}")
