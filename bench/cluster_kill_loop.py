"""Kill parts of runs on a cluster of this machine at random moments and look at what stays: the old output or the new,
whole, and nothing else.

    bench/cluster_kill_loop.py [--minutes 60] [--seed 1] [--build build/dev] [--size 40MB]

J2 of the bench runs again and again on LocalCluster, one to three workers, from the tables of two seeds by turns into the
same output. In each run somebody is struck, or nobody: a cluster's worker (the run must succeed), one that is
stopped for seconds and goes on (so too), the driver, the process of the run, its supervisor, all of them at once by
SIGKILL, or the supervisor by SIGINT. Then the output must be one of the two, the new one if the run succeeded. A small run
follows, as whoever comes next reaps; after it no lease may be open, no run unfinished, no process alive and no file left in
the folder for temporary ones or beside the output. (The next writer removes what a killed run staged.)
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "tests")]

from compare import fingerprint  # noqa: E402
from data import Data, inputs  # noqa: E402
from harness import store  # noqa: E402
from harness.project import Project  # noqa: E402
from harness.server import until  # noqa: E402

FINAL = ("succeeded", "failed", "cancelled")
VICTIMS = ("worker", "worker", "stopped worker", "driver", "run", "supervisor", "all", "all", "interrupted", "nobody")
# Whoever is struck so costs time only.
HARMLESS = ("worker", "stopped worker", "nobody")
SEEDS = (1, 2)


def job(workers):
    text = (BENCH / "jobs" / "J2.yaml").read_text().replace("  load:\n", "  load:\n    requires: [compute]\n", 1)
    config = {"provider": "local", "n_workers": workers, "threads_per_worker": 1, "worker_memory": "1 GiB",
              "idle_timeout": "20s"}
    return f"{text}\nresources:\n  compute: {json.dumps({'type': 'cluster', 'config': config})}\n"


def processes_of(temporary):
    """Living processes that were started with this folder, or one in it, for temporary files; and their command lines."""
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            variables = Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
            if any(variable.startswith(f"TMPDIR={temporary}".encode()) for variable in variables):
                found[int(entry)] = command(entry)
    return found


def command(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    return ""


def strike(chance, victim, process, project):
    """Do it; gives whether there was somebody."""
    run = store.last_run(project)
    cluster = processes_of(project.folder.parent / "tmp")
    drivers = [pid for pid, words in cluster.items() if "mutirao.dask" in words]
    workers = [pid for pid, words in cluster.items() if "spawn_main" in words]
    runs = [run["worker"]["pid"]] if run["worker"] and run["state"] not in FINAL else []
    if victim == "stopped worker" and workers:
        pid = chance.choice(workers)
        for number, pause in ((signal.SIGSTOP, chance.uniform(0.5, 5)), (signal.SIGCONT, 0)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            time.sleep(pause)
        return True
    struck = {"worker": workers and [chance.choice(workers)], "driver": drivers, "run": runs,
              "supervisor": [process.pid], "all": [process.pid, *runs, *cluster], "interrupted": [process.pid]}.get(victim, [])
    for pid in struck:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT if victim == "interrupted" else signal.SIGKILL)
    return bool(struck)


class Loop:
    def __init__(self, folder, options):
        self.project = Project(folder / "project", options.build / "bin" / "mutirao")
        self.temporary = folder / "tmp"
        self.out = folder / "project" / "out"
        self.temporary.mkdir()
        self.chance = random.Random(options.seed)
        self.counts = Counter()
        self.data = [Data(folder / "data", options.size, seed, options.build / "bin" / "mutirao-datagen") for seed in SEEDS]
        for workers in (1, 2, 3):
            self.project.write(f"jobs/{workers}.yaml", job(workers))
        self.project.write("jobs/next.yaml", "name: next\nops: {only: {command: ['true']}}\n")
        self.prints, self.usual, self.killed = [], 0, set()
        for data in self.data:
            data.need(inputs("J2", "mutirao"))
            began = time.monotonic()
            code, talk = self.end(self.start(2, data))
            assert code == 0, talk
            self.usual = time.monotonic() - began
            self.prints.append(fingerprint(self.out / "dataset"))
        assert self.prints[0] != self.prints[1]

    def start(self, workers, data):
        return self.project.start("run", f"jobs/{workers}.yaml", "-p", f"input={data.folder}", "-p",
                                  f"output={self.out}/dataset", env={"TMPDIR": str(self.temporary)})

    @staticmethod
    def end(process):
        _, talk = process.communicate(timeout=240)
        return process.returncode, talk.decode("utf-8", "replace")

    def left(self):
        """What may not be there between two runs. Of the staging of killed runs the next writer takes care."""
        return {"processes": processes_of(self.temporary), "leases": store.open_leases(self.project),
                "runs": [run["id"] for run in store.runs(self.project) if run["state"] not in FINAL],
                "temporary": sorted(os.listdir(self.temporary)),
                "beside": [name for name in os.listdir(self.out) if name not in ("dataset", "dataset.run.json")
                           and not any(f".staging-{run}" in name for run in self.killed)],
                "inside": [str(path) for path in (self.out / "dataset").rglob("*") if path.suffix != ".parquet" and path.is_file()]}

    def turn(self, number):
        before = fingerprint(self.out / "dataset")
        wanted = self.prints[number % 2]
        victim, workers = self.chance.choice(VICTIMS), self.chance.randint(1, 3)
        known = len(store.runs(self.project))
        process = self.start(workers, self.data[number % 2])
        moment = self.chance.uniform(0, self.usual * 1.1)
        time.sleep(moment)
        struck = len(store.runs(self.project)) > known and process.poll() is None and strike(
            self.chance, victim, process, self.project)
        code, talk = self.end(process)
        where = f"turn {number}: {victim if struck else 'nobody'} of {workers} workers after {moment:.2f} s, exit {code}"
        run = store.last_run(self.project)
        if victim == "supervisor" and struck and run["worker"]:  # it ends by itself
            until(lambda: not Path(f"/proc/{run['worker']['pid']}").exists(), patience=240)
        now = fingerprint(self.out / "dataset")
        must_succeed = not struck or victim in HARMLESS
        if now not in (before, wanted) or (code == 0 and now != wanted) or (must_succeed and code != 0):
            sys.exit(f"{where}: before {before}, wanted {wanted}, now {now}\n{talk}")
        outcome = self.project.run("run", "jobs/next.yaml", env={"TMPDIR": str(self.temporary)})
        if outcome.code != 0:
            sys.exit(f"{where}; the next run: {outcome}\n{talk}")
        deadline = time.monotonic() + 60  # the idle time-out, and some
        if code == 0:
            self.killed.clear()
        elif struck and victim in ("run", "supervisor", "all"):
            self.killed.add(run["id"])
        while any((left := self.left()).values()):
            if time.monotonic() > deadline:
                sys.exit(f"{where}; left: {left}\n{talk}")
            time.sleep(0.2)
        self.counts[victim if struck else "nobody", "new" if now == wanted else "old"] += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=lambda text: Path(text).resolve(), default=BENCH.parent / "build" / "dev")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", default="40MB", help="of the establishments table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        loop = Loop(Path(folder), options)
        print(f"a run takes {loop.usual:.1f} s", flush=True)
        number, end = 0, time.monotonic() + options.minutes * 60
        while time.monotonic() < end:
            loop.turn(number)
            number += 1
            if number % 20 == 0:
                print(number, "turns", flush=True)
        print(f"{number} turns; struck, and what the output was afterwards:")
        for (victim, output), count in sorted(loop.counts.items()):
            print(f"  {victim}, {output}: {count}")


if __name__ == "__main__":
    main()
