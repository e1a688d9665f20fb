"""How long it takes from a launch to the first op and to the end of a two-op job, child process and store included.

    .venv/bin/python bench/control_plane.py [--runs 200] [--program build/release/bin/mutirao]

The clock starts before the program is started. "First op" is when its command runs (it writes the time), "stored" is
the time of its event op.started. Jobs run one after the other in a project of their own, in a temporary folder.
"""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

JOB = """
name: two
ops:
  first: {command: [sh, -c, "date +%s.%N > first.time"]}
  second: {command: ["true"], after: [first]}
"""


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def line(name, values):
    return (f"{name:28} median {statistics.median(values) * 1000:7.1f} ms   p99 {percentile(values, 0.99) * 1000:7.1f} ms   "
            f"least {min(values) * 1000:7.1f} ms")


def measure(program, folder, runs):
    """Seconds to the first op by its own clock and by the store's, and to the end."""
    job = folder / "jobs" / "two.yaml"
    job.parent.mkdir()
    job.write_text(JOB)
    to_first, to_end = [], []
    launched = []
    for _ in range(runs):
        wall = time.time()
        began = time.monotonic()
        done = subprocess.run([program, "run", "jobs/two.yaml", "--json", "-q"], cwd=folder, stdout=subprocess.PIPE, check=True)
        to_end.append(time.monotonic() - began)
        to_first.append(float((folder / "first.time").read_text()) - wall)
        launched.append((json.loads(done.stdout)["run"], wall))
    store = sqlite3.connect(folder / ".mutirao" / "mutirao.db")
    started = dict(store.execute("SELECT run_id, time FROM events WHERE type = 'op.started' AND op = 'first'"))
    return to_first, [started[run] / 1e6 - wall for run, wall in launched], to_end


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--program", default=root / "build" / "release" / "bin" / "mutirao", type=Path)
    parser.add_argument("--runs", default=200, type=int)
    parser.add_argument("--folder", help="where the temporary project is made; its disk counts")
    arguments = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("MUTIRAO_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        first, stored, end = measure(arguments.program.resolve(), Path(folder), arguments.runs)
    print(f"{arguments.runs} runs of a two-op job, {os.cpu_count()} cores")
    print(line("launch to op.started stored", stored))
    print(line("launch to first command", first))
    print(line("launch to end of two ops", end))


if __name__ == "__main__":
    main()
