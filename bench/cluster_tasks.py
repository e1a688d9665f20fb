"""What a task costs on a cluster beyond its work: 1,000 tasks that read and write almost nothing, on LocalCluster 2×1.

    bench/cluster_tasks.py [--build build/release] [--tasks 1000] [--results bench/results/cluster]

Prints the time a task, the same for `mutirao task`'s library called in this process, and the driver's own CPU and memory.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "python"), str(ROOT / "tests" / "cluster"), str(ROOT / "tests")]

import cluster_results  # noqa: E402
from native_side import Driver  # noqa: E402


def document(build, folder):
    """A task that writes two rows."""
    (folder / "in.csv").write_text("a,b\n1,x\n2,y\n")
    (folder / "job.yaml").write_text(json.dumps({"name": "tiny", "ops": {"load": {
        "frames": {"rows": {"read": {"csv": "in.csv"}}}, "write": [{"frame": "rows", "parquet": "out"}]}}}))
    subprocess.run([build / "bin" / "mutirao", "explain", "job.yaml", "--write-tasks", "tasks"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    name, = json.loads((folder / "tasks" / "stages.json").read_text())[0]["tasks"]
    return json.loads((folder / "tasks" / name).read_text())


def in_this_process(build, task, count):
    os.environ["MUTIRAO_LIBRARY"] = str(build / "lib" / "libmutirao.so")
    from mutirao import Library

    library = Library()
    times = []
    for number in range(count):
        begin = time.perf_counter()
        execution = library.task({"threads": 1, "execution": f"e{number}"})
        execution.run(json.dumps(task))
        execution.close()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def on_a_cluster(build, task, count):
    driver = Driver(build)
    driver.send("hello", protocol=1)
    driver.receive()
    begin = time.perf_counter()
    driver.send("start", provider="local", name="mutirao-bench", wait={"workers": 2, "timeout": 120},
                config={"n_workers": 2, "idle_timeout": 600, "worker_timeout": 60})
    driver.wait_for("started")
    started = time.perf_counter() - begin
    waiting = [f"bench/0/{number}/0" for number in range(count)]
    begin, done = time.perf_counter(), 0
    for key in (waiting.pop() for _ in range(20)):  # what PlanProgress keeps in flight: 2 × slots + 16
        driver.send("submit", task=key, document=json.dumps({**task, "task": int(key.split("/")[2])}))
    while done < count:
        message = driver.wait_for("done", "failed", "lost", "cancelled")
        assert message["type"] == "done", message
        done += 1
        if done % 5 == 0:  # and replaces when a quarter of it has ended
            for key in (waiting.pop() for _ in range(min(5, len(waiting)))):
                driver.send("submit", task=key, document=json.dumps({**task, "task": int(key.split("/")[2])}))
    seconds = time.perf_counter() - begin
    stat = Path(f"/proc/{driver.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    status = Path(f"/proc/{driver.process.pid}/status").read_text()
    memory = int(status.split("VmRSS:")[1].split()[0]) / 1024
    driver.close()
    return started, seconds, cpu, memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=lambda text: Path(text).resolve(), default=ROOT / "build" / "release")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=cluster_results.FOLDER)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        task = document(options.build, Path(folder))
        alone = in_this_process(options.build, task, min(options.tasks, 200))
        started, seconds, cpu, memory = on_a_cluster(options.build, task, options.tasks)
    print(f"{options.tasks} tasks on LocalCluster 2×1: {1000 * seconds / options.tasks:.2f} ms a task "
          f"(in one process, one after the other: {1000 * alone:.2f} ms)")
    print(f"cluster start {started:.1f} s; the driver with its scheduler: {cpu:.1f} s of CPU, {memory:.0f} MiB")
    cluster_results.keep(options.results, "cluster_tasks.py", {
        "tasks": options.tasks, "ms_a_task": round(1000 * seconds / options.tasks, 2), "ms_a_task_in_one_process": round(1000 * alone, 2),
        "driver_and_scheduler_cpu_seconds": round(cpu, 2), "driver_and_scheduler_mib": round(memory)})


if __name__ == "__main__":
    main()
