#!/usr/bin/env python3
"""Whether cost grows with the input: jobs at two sizes, in turn, each as a whole process, and what a gigabyte of each costs.

    bench/linear.py [--jobs J1,J2] [--sizes 1GB,17GB] [--rounds 3] [--seed 1] [--data bench/data]
                    [--program build/release/bin/mutirao] [--input cached|on-disk] [--most-memory BYTES]

Before each run memory is used and freed again, all that is free (but --most-memory), so that neither size finds it in another
state (page_state.py), and input is read once (--input cached) or taken out of the page cache (on-disk). A gigabyte is one of what
the job reads. Exit code 1: at the larger size it takes more than 1.15 times as long, by medians.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from data import Data, inputs
from page_state import drop, free_memory, touch, warm
from process import timed

ROOT = Path(__file__).resolve().parents[1]
MOST = 1.15
# What stays free: the kernel wants some for itself.
RESERVE = 1 << 30


def once(program, job, data, files, is_cached, most_memory):
    """Seconds that a gigabyte takes and costs, and MiB resident at most."""
    if is_cached:
        warm(files)
    else:
        drop(files)
    touch(min(most_memory, max(0, free_memory() - RESERVE)))
    with tempfile.TemporaryDirectory(dir=data.folder) as folder:
        call = [program, "run", ROOT / "bench" / "jobs" / f"{job}.yaml", "-p", f"input={data.folder}", "-p", f"output={folder}/out"]
        wall, usage = timed(call)
    gigabytes = sum(file.stat().st_size for file in files) / 1e9
    return wall / gigabytes, (usage.ru_utime + usage.ru_stime) / gigabytes, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", default="J1")
    parser.add_argument("--sizes", default="1GB,17GB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=ROOT / "bench" / "data")
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "release" / "bin" / "mutirao")
    parser.add_argument("--input", choices=["cached", "on-disk"], default="cached")
    parser.add_argument("--most-memory", type=int, default=1 << 40)
    options = parser.parse_args()
    sizes = options.sizes.split(",")
    if len(sizes) != 2:
        parser.error("--sizes takes two, the smaller first")
    failed = False
    for job in options.jobs.split(","):
        names = inputs(job, "mutirao")
        sets = [Data(options.data, size, options.seed, options.program.parent / "mutirao-datagen") for size in sizes]
        for data in sets:
            data.need(names)
        runs = {size: [] for size in sizes}
        for _ in range(options.rounds):
            for size, data in zip(sizes, sets):
                runs[size].append(once(options.program, job, data, [data.folder / name for name in names],
                                       options.input == "cached", options.most_memory))
        medians = {}
        for size in sizes:
            wall, cpu, memory = zip(*runs[size])
            medians[size] = statistics.median(wall)
            print(f"{job} {size:>5}: {medians[size]:.3f} s a GB ({min(wall):.3f} to {max(wall):.3f}), "
                  f"{statistics.median(cpu):.2f} s CPU a GB, {max(memory):,.0f} MiB", flush=True)
        ratio = medians[sizes[1]] / medians[sizes[0]]
        failed |= ratio > MOST
        print(f"{job}: a GB of {sizes[1]} takes {ratio:.2f} times what one of {sizes[0]} does (at most {MOST}); "
              f"input {options.input}, {options.rounds} rounds", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
