"""Kill runs with resources at random moments and count what stays: nothing may.

    .venv/bin/python bench/kill_loop.py [--runs 200] [--seed 1] [--program build/dev/bin/mutirao] [--server]

Each run starts two processes, one standing on the other, the lower with a child that leaves its session. Then the
worker is killed (its supervisor settles the run), or the supervisor, or both, by SIGKILL, or nobody. A second job that
is never killed runs all the while and must succeed. At the end one more run is started, and then no process, no open
lease and no unfinished run may be left, and no resource may have been ended twice.

With --server the runs are launched through a server, two at a time, and workers, the server, or both are killed; after
a server another one is started at once.
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
from harness.server import Server, end_workers, until  # noqa: E402

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


def workers_of(project, job):
    return [run["worker"]["pid"] for run in store.runs(project)
            if run["state"] not in FINAL and run["worker"] and run["job"] == job]


def wait_for_end(project, job):
    until(lambda: all(run["state"] in FINAL for run in store.runs(project) if run["job"] == job), patience=600)


def loop_with_servers(project, chance, runs):
    """Gives how often who was killed, and how the run ended that was never killed."""
    project.write("mutirao.yaml", "queue: {max_runs: 3}\n")
    job, living = project.job(JOB), project.job(LIVING, "living")
    server, whom = Server(project), Counter()
    project.run_ok("launch", living)
    until(lambda: workers_of(project, "living"))
    began = time.monotonic()
    project.run_ok("launch", job)
    wait_for_end(project, "job")
    usual = time.monotonic() - began
    for _ in range(runs // 2):
        for _ in range(2):
            project.run_ok("launch", job)
        time.sleep(chance.uniform(0, usual * 1.5))
        struck = chance.choice(["worker", "server", "both", "both", "nobody"])
        whom[struck] += 1
        workers = workers_of(project, "job")
        if struck in ("server", "both"):
            server.stop(signal.SIGKILL)
        if struck in ("worker", "both"):
            for pid in workers[:chance.randint(1, 2)]:
                kill(pid)
        if struck in ("server", "both"):
            server = Server(project)
    wait_for_end(project, "job")
    project.write("go", "")
    wait_for_end(project, "living")
    until(lambda: not store.open_leases(project), patience=300)
    server.stop()
    end_workers(project)
    return whom, next(run["state"] for run in store.runs(project) if run["job"] == "living")


def tell(project, whom, state):
    """Print what came of it; gives whether it is as it must be."""
    states = Counter(run["state"] for run in store.runs(project))
    leases, processes, doubled = store.open_leases(project), left_behind(project), doubly_ended(project)
    unfinished = sum(count for name, count in states.items() if name not in FINAL)
    print(f"{sum(states.values())} runs, killed: {dict(whom)}; ended: {dict(states)}")
    print(f"left: {len(processes)} processes, {len(leases)} open leases, {unfinished} unfinished runs; "
          f"ended twice: {len(doubled)}; the run that was never killed: {state}")
    return not (processes or leases or doubled or unfinished) and state == "succeeded"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--program", default=root / "build" / "dev" / "bin" / "mutirao", type=Path)
    parser.add_argument("--runs", default=200, type=int)
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--server", action="store_true", help="through a server that is killed, too")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    whom = Counter()
    with tempfile.TemporaryDirectory() as folder:
        project = Project(folder, arguments.program.resolve())
        if arguments.server:
            sys.exit(0 if tell(project, *loop_with_servers(project, chance, arguments.runs)) else 1)
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
        good = tell(project, whom, "succeeded" if living.returncode == 0 else talk.decode())
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
