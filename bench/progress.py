"""Measure how right the time that a run says is left turns out, and what measuring with --profile costs.

    bench/progress.py [--size 1GB] [--jobs J1,J2] [--rounds 9] [--watch 3]

A run draws its progress on a terminal, and this program is the terminal: of each line it notes when it came, what share is
done and how long it says the rest takes. Told are the worst errors of the whole time foretold (since the start plus what is
left, against what it took) after the first tenth. Each job also runs with and without --profile in turn (A B A B …), as
whole processes; told are the medians of CPU and wall time of each, and the median of what --profile added within a pair:
the clock of a shared machine changes by half, so that only neighbours compare.
"""

import argparse
import os
import pty
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from data import Data, inputs
from page_state import warm
from process import measure
from run import BENCH, BUILD, ROOT, names
from systems import EVERY, command

LINE = re.compile(r"\((\d+) %\).*?, ([\d.]+ \S+(?: \d+ \S+)?) left")
UNITS = {"ms": 0.001, "s": 1, "min": 60, "m": 60, "h": 3600}


def seconds(text):
    """`text` as mutirao writes durations: "1.2 s", "340 ms", "2 min 5 s"."""
    parts = re.findall(r"([\d.]+)\s*(ms|min|s|m|h)", text)
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def watch(call):
    """Run a program on a terminal of its own; gives (seconds since its start, share, seconds left) of each line, and the
    seconds it took."""
    master, slave = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k not in ("NO_PROGRESS", "MUTIRAO_NO_PROGRESS", "CI")}
    start = time.monotonic()
    process = subprocess.Popen(list(map(str, call)), stderr=slave, stdout=subprocess.DEVNULL, stdin=slave, env=env)
    os.close(slave)
    seen = []
    while True:
        try:
            text = os.read(master, 65536).decode(errors="replace")
        except OSError:  # the other end is closed
            break
        for share, left in LINE.findall(text):
            seen.append((time.monotonic() - start, int(share) / 100, seconds(left)))
    if process.wait() != 0:
        sys.exit(f"{' '.join(map(str, call))} ended with {process.returncode}")
    return seen, time.monotonic() - start


def worst_error(seen, took):
    """Of the whole time that was foretold, after the first tenth of it."""
    errors = [(at + left) / took - 1 for at, share, left in seen if at >= took / 10 and share > 0]
    return max(errors, key=abs, default=None)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", default="1GB")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9, help="pairs of runs with and without --profile; 0: none")
    parser.add_argument("--watch", type=int, default=3, help="runs on a terminal; 0: none")
    parser.add_argument("--lines", action="store_true", help="also say what each line of progress foretold")
    parser.add_argument("--jobs", type=names(EVERY), default=["J1", "J2", "J3", "J5", "J7"])
    parser.add_argument("--program", type=Path, default=BUILD / "mutirao")
    parser.add_argument("--datagen", type=Path, default=BUILD / "mutirao-datagen")
    parser.add_argument("--data", type=Path, default=BENCH / "data")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "bench")
    args = parser.parse_args()
    for name in ("program", "datagen", "data", "work"):
        setattr(args, name, getattr(args, name).resolve())
    return args


def run_pairs(call, out, rounds, log):
    """Runs without and with a profile, in turn."""
    runs = {"plain": [], "profile": []}
    for _ in range(rounds):
        for kind, extra in (("plain", []), ("profile", [f"--profile={out}/profile"])):
            empty(out)
            runs[kind].append(measure([*call, *extra], log))
    return runs


def cost(runs):
    said = []
    for what, unit in (("cpu", "CPU"), ("wall", "wall")):
        plain, profile = ([run[what] for run in runs[kind]] for kind in ("plain", "profile"))
        added = statistics.median(b / a - 1 for a, b in zip(plain, profile)) * 100
        said.append(f"{unit} {statistics.median(plain):.2f} s, with --profile {statistics.median(profile):.2f} s, "
                    f"in a pair {added:+.1f} %")
    return f"{len(runs['plain'])} pairs: {'; '.join(said)}"


def foretold(call, out, rounds, tells_lines):
    errors, lines, times = [], 0, []
    for _ in range(rounds):
        empty(out)
        seen, took = watch(call)
        if tells_lines:
            print(f"  {took:.2f} s: " + ", ".join(f"{at:.2f} s {share:.0%} {((at + left) / took - 1) * 100:+.0f} %"
                                                  for at, share, left in seen))
        lines += len(seen)
        times.append(took)
        if (error := worst_error(seen, took)) is not None:
            errors.append(error)
    worst = f"{max(errors, key=abs) * 100:+.0f} %" if errors else "nothing drawn"
    return (f"{statistics.median(times):.2f} s; worst error of the time foretold after the first tenth {worst} "
            f"({lines} lines in {rounds} runs)")


def empty(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def main():
    args = arguments()
    data = Data(args.data, args.size, args.seed, args.datagen)
    for job in args.jobs:
        files = inputs(job, "mutirao")
        data.need(files)
        warm(data.folder / name for name in files)
        out = args.work / f"{job}-progress"
        call = command("mutirao", job, args.program, data.folder, out)
        if args.watch:
            print(f"{job}: {foretold(call, out, args.watch, args.lines)}", flush=True)
        if args.rounds:
            print(f"{job}: {cost(run_pairs(call, out, args.rounds, args.work / f'{job}-progress.log'))}", flush=True)
        shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
