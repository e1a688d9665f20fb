"""Measure how right the time that a run says is left turns out, and what measuring with --profile costs.

    bench/progress.py [--size 1GB] [--jobs J1,J2] [--rounds 3]

A run draws its progress on a terminal, and this program is the terminal: of each line it notes when it came, what share is
done and how long it says the rest takes. Told are the worst errors of the whole time foretold (since the start plus what is
left, against what it took) after the first tenth. Each job also runs with and without --profile in turn; the least CPU time
of each is compared, since a shared machine's clock changes by more than a profile costs.
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

from data import Data, inputs, warm
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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=names(EVERY), default=["J1", "J2", "J3", "J5"])
    parser.add_argument("--program", type=Path, default=BUILD / "mutirao")
    parser.add_argument("--datagen", type=Path, default=BUILD / "mutirao-datagen")
    parser.add_argument("--data", type=Path, default=BENCH / "data")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "bench")
    args = parser.parse_args()
    for name in ("program", "datagen", "data", "work"):
        setattr(args, name, getattr(args, name).resolve())
    return args


def main():
    args = arguments()
    data = Data(args.data, args.size, args.seed, args.datagen)
    for job in args.jobs:
        files = inputs(job, "mutirao")
        data.need(files)
        warm(data.folder / name for name in files)
        out = args.work / f"{job}-progress"
        call = command("mutirao", job, args.program, data.folder, out)
        errors, lines, runs = [], 0, {"plain": [], "profile": []}
        for _ in range(args.rounds):
            for kind, extra in (("plain", []), ("profile", [f"--profile={out}/profile"])):
                shutil.rmtree(out, ignore_errors=True)
                out.mkdir(parents=True)
                runs[kind].append(measure([*call, *extra], args.work / f"{job}-progress.log"))
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            seen, took = watch(call)
            lines += len(seen)
            if (error := worst_error(seen, took)) is not None:
                errors.append(error)
        shutil.rmtree(out, ignore_errors=True)
        wall = statistics.median(run["wall"] for run in runs["plain"])
        plain, profile = (min(run["cpu"] for run in runs[kind]) for kind in ("plain", "profile"))
        worst = f"{max(errors, key=abs) * 100:+.0f} %" if errors else "nothing drawn"
        print(f"{job}: {wall:.2f} s; worst error of the time foretold after the first tenth {worst} "
              f"({lines} lines in {args.rounds} runs); CPU {plain:.2f} s, with --profile {profile:.2f} s "
              f"({(profile / plain - 1) * 100:+.1f} %)",
              flush=True)


if __name__ == "__main__":
    main()
