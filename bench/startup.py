#!/usr/bin/env python3
"""How long the program makes somebody wait at a prompt: version, check and preview over a large file.

    bench/startup.py [--program build/release/bin/mutirao] [--size 1GB] [--runs 20]

Each command is run as a whole process, by turns; printed are the median and the best of the wall clock and the median of
the processor time, in milliseconds, and the limit that the project has set itself. Exit code 1: a median is above it.
"""

import argparse
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from data import Data  # noqa: E402
from process import timed  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
JOB = ROOT / "bench" / "jobs" / "J1.yaml"


def once(call):
    """Run a process; gives wall and processor milliseconds."""
    wall, usage = timed(call)
    return wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "release" / "bin" / "mutirao")
    parser.add_argument("--datagen", type=Path, default=ROOT / "build" / "release" / "bin" / "mutirao-datagen")
    parser.add_argument("--data", type=Path, default=ROOT / "bench" / "data")
    parser.add_argument("--size", default="1GB")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    data = Data(options.data, options.size, options.seed, options.datagen)
    data.need(["est.csv"])
    job = [JOB, "-p", f"input={data.folder}"]
    commands = [("version", ["version"], 20), ("check", ["check", *job], 50), ("preview", ["preview", JOB, "active", *job[1:]], 100)]
    times = {name: [] for name, _, _ in commands}
    for _ in range(options.runs + 1):
        for name, arguments, _ in commands:
            times[name].append(once([options.program, *arguments]))
    slow = 0
    print(f"{'command':10} {'median':>8} {'best':>8} {'CPU':>8} {'limit':>8}  of {options.runs} runs over {options.size}, in ms")
    for name, _, limit in commands:
        wall, cpu = zip(*times[name][1:])  # the first one fills the page cache
        median = statistics.median(wall)
        slow += median > limit
        print(f"{name:10} {median:8.1f} {min(wall):8.1f} {statistics.median(cpu):8.1f} {limit:8}{'  TOO SLOW' if median > limit else ''}")
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
