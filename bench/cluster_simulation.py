"""What a plan on many workers costs the machine that drives it: a real scheduler, 100 workers whose tasks sleep.

    bench/cluster_simulation.py [--build build/release] [--workers 100] [--tasks 4000] [--seconds 1] [--results DIR]

Scheduler, driver and the native side are the real ones, each in its own process; the workers are real Dask workers of one
process in which a task, instead of working, sleeps and gives a result without rows. Prints CPU and memory of each.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "python"), str(ROOT / "tests" / "cluster"), str(ROOT / "tests")]

import cluster_results  # noqa: E402
from native_side import PYTHON, environment  # noqa: E402


def sleeping_run_task(seconds):
    from distributed import get_worker
    from mutirao.dask.worker import TOPIC

    def run_task(key, document, threads):
        worker = get_worker()
        worker.log_event(TOPIC, {"event": "running", "task": key, "worker": worker.address})
        time.sleep(seconds)
        task = json.loads(document)
        result = {name: task[name] for name in ("version", "run", "stage", "task", "attempt")}
        result["outputs"] = [{"staging": place, "parts": []} for place in task["staging"]]
        result["nodes"] = [{} for _ in task["plan"]["nodes"]]
        result["seconds"] = seconds
        value = {"result": json.dumps(result)}
        worker.log_event(TOPIC, {"event": "ended", "task": key, "value": value})
        return value

    return run_task


async def be_workers(address, count, seconds):
    from distributed import Worker
    from mutirao.dask import worker

    worker.run_task = sleeping_run_task(seconds)  # tasks name it, so they get this one here
    with tempfile.TemporaryDirectory() as folder:
        workers = [await Worker(address, nthreads=1, local_directory=folder, dashboard=False, heartbeat_interval="5s")
                   for _ in range(count)]
        await asyncio.gather(*(each.finished() for each in workers))


def usage(pid):
    """CPU seconds and resident MiB of a process."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = Path(f"/proc/{pid}/status").read_text()
    cpu = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return cpu, int(status.split("VmRSS:")[1].split()[0]) / 1024


def only_child(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        children += (thread / "children").read_text().split()
    return int(next(iter(set(children))))


def measure(options, folder):
    import pyarrow as pa
    import pyarrow.parquet
    from plans import Cluster
    from test_providers import free_port

    (folder / "in").mkdir()
    for number in range(options.tasks):
        pa.parquet.write_table(pa.table({"n": [number]}), folder / "in" / f"{number}.parquet")
    address = f"tcp://127.0.0.1:{free_port()}"
    common = {"env": environment(options.build), "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([PYTHON, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port",
                                  address.rsplit(":", 1)[1], "--no-dashboard"], **common)
    workers = subprocess.Popen([PYTHON, __file__, "--be-workers", address, "--workers", str(options.workers), "--seconds",
                                str(options.seconds)], **common)
    try:
        cluster = Cluster(options.build, n_workers=options.workers, provider="address", address=address)
        assert "workers" in cluster.started, cluster.started
        processes = {"native side": cluster.process.pid, "driver": only_child(cluster.process.pid), "scheduler": scheduler.pid}
        before = {name: usage(pid) for name, pid in processes.items()}
        frames = {"rows": {"read": {"parquet": f"{folder}/in"}, "steps": []}}
        answer = cluster.run(frames=frames, frame="rows", folder=str(folder), task_bytes=1, only="cluster", straggler=1000)
        assert answer.get("account", {}).get("tasks") == options.tasks, answer
        after = {name: usage(pid) for name, pid in processes.items()}
        cluster.close()
    finally:
        for process in (workers, scheduler):
            process.kill()
            process.wait()
    ideal = options.tasks * options.seconds / options.workers
    print(f"{options.tasks} tasks of {options.seconds:g} s on {options.workers} workers: {answer['seconds']:.1f} s "
          f"({ideal:.1f} s if nothing but the tasks took time)")
    used = {}
    for name in processes:
        cpu = after[name][0] - before[name][0]
        print(f"{name}: {cpu:.2f} s of CPU, {1000 * cpu / options.tasks:.2f} ms a task, {after[name][1]:.0f} MiB")
        used[name] = {"cpu_seconds": round(cpu, 2), "ms_a_task": round(1000 * cpu / options.tasks, 3), "mib": round(after[name][1])}
    cluster_results.keep(options.results, "cluster_simulation.py", {
        "workers": options.workers, "tasks": options.tasks, "seconds_a_task": options.seconds, "seconds": round(answer["seconds"], 2),
        "seconds_of_tasks_alone": ideal, "processes": used})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=lambda text: Path(text).resolve(), default=ROOT / "build" / "release")
    parser.add_argument("--workers", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--results", type=Path, default=cluster_results.FOLDER)
    parser.add_argument("--be-workers", metavar="ADDRESS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be_workers:
        asyncio.run(be_workers(options.be_workers, options.workers, options.seconds))
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(options, Path(folder))


if __name__ == "__main__":
    main()
