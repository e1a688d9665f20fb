"""Kill runs with resources at random moments and count what stays: nothing may.

    .venv/bin/python bench/kill_loop.py [--runs 200] [--seed 1] [--program build/dev/bin/mutirao]

Each run starts two processes, one standing on the other, the lower with a child that leaves its session. Then the
worker is killed (its supervisor settles the run), or the supervisor, or both, by SIGKILL, or nobody. A second job that
is never killed runs all the while and must succeed. At the end one more run is started, and then no process, no open
lease and no unfinished run may be left, and no resource may have been ended twice.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from harness import store  # noqa: E402
from harness.project import Project  # noqa: E402

JOB = {"resources": {
    "lower": {"type": "process", "config": {"command": ["sh", "-c", "setsid sleep 600 & echo up; wait"], "ready": {"log": "up"}}},
    "upper": {"type": "process", "requires": ["lower"], "config": {"command": ["sleep", "600"]}}},
    "ops": {"a": {"command": ["true"], "requires": ["upper"]}, "b": {"command": ["true"], "requires": ["lower"], "after": ["a"]}}}
LIVING = {"resources": JOB["resources"],
          "ops": {"a": {"command": ["sh", "-c", "while [ ! -e go ]; do sleep 0.1; done"], "requires": ["upper"]}}}
NEXT = {"ops": {"only": {"command": ["true"]}}}
FINAL = ("succeeded", "failed", "cancelled")


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def strike(chance, process, project):
    """Kill somebody; says whom."""
    whom = chance.choice(["worker", "worker", "supervisor", "both", "both", "nobody"])
    workers = [run["worker"]["pid"] for run in store.runs(project)
               if run["state"] not in FINAL and run["worker"] and run["job"] == "job"]
    if whom in ("supervisor", "both"):
        process.kill()
    if whom in ("worker", "both"):
        for pid in workers:
            kill(pid)
    process.communicate(timeout=120)
    return whom


def left_behind(project):
    found = {}
    for run in store.runs(project):
        found.update(store.marked_processes(f"mutirao-{run['id']}-"))
    return found


def doubly_ended(project):
    doubled = []
    for run in store.runs(project):
        ended = Counter(e["data"]["resource"] for e in store.events(project, run["id"])
                        if e["type"] in ("resource.released", "resource.reaped"))
        doubled += [(run["id"], name) for name, count in ended.items() if count > 1]
    return doubled


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--program", default=root / "build" / "dev" / "bin" / "mutirao", type=Path)
    parser.add_argument("--runs", default=200, type=int)
    parser.add_argument("--seed", default=1, type=int)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    whom = Counter()
    with tempfile.TemporaryDirectory() as folder:
        project = Project(folder, arguments.program.resolve())
        living = project.start("run", project.job(LIVING, "living"))
        job, following = project.job(JOB), project.job(NEXT, "following")
        began = time.monotonic()
        project.run_ok("run", job)
        usual = time.monotonic() - began
        for _ in range(arguments.runs):
            process = project.start("run", job)
            time.sleep(chance.uniform(0, usual * 1.1))
            whom[strike(chance, process, project)] += 1
        assert living.poll() is None, living.communicate()
        project.write("go", "")
        _, talk = living.communicate(timeout=120)
        project.run_ok("run", following)
        states = Counter(run["state"] for run in store.runs(project))
        print(f"{arguments.runs} runs, killed: {dict(whom)}; ended: {dict(states)}")
        leases, processes, doubled = store.open_leases(project), left_behind(project), doubly_ended(project)
        print(f"left: {len(processes)} processes, {len(leases)} open leases, "
              f"{sum(count for state, count in states.items() if state not in FINAL)} unfinished runs; "
              f"ended twice: {len(doubled)}; the run that was never killed: {'succeeded' if living.returncode == 0 else talk.decode()}")
        bad = processes or leases or doubled or living.returncode != 0 or set(states) - set(FINAL)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
