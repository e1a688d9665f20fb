"""J2 on a cluster of this machine, two workers of one thread: our plan on LocalCluster, the same job in this process, and
dask.dataframe, twice, on the same kind of cluster. Times leave out the start and end of processes and clusters, which are
printed apart.

    bench/cluster_j2.py [--build build/release] [--data build/bench/data] [--size 1GB] [--seed 1] [--runs 3] [--cpus 2]
                        [--without-dask] [--memory-as-found] [--results bench/results/cluster]

All run on the same processors, in turn. The outputs must have equal cells before a figure counts. Before each run memory is
used and freed again, so that what ended before it matters less for what new pages cost it (page_state.py);
--memory-as-found leaves that out.
"""

import argparse
import importlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH / "jobs")]

import cluster_results  # noqa: E402
from compare import fingerprint  # noqa: E402
from data import Data, inputs  # noqa: E402
from page_state import touch, warm  # noqa: E402

# Blocks parsed by pyarrow, which is the faster, and dask.dataframe.read_csv.
DASK = ("dask", "dask_csv")
# More than any of them takes.
MEMORY = 6 << 30
CLUSTER = {"provider": "local", "n_workers": 2, "threads_per_worker": 1, "worker_memory": "4 GiB"}


def mutirao(build, data, folder, config):
    """Seconds of the op, of the whole, and its account of the cluster."""
    job = (BENCH / "jobs" / "J2.yaml").read_text().replace("  load:\n", "  load:\n    requires: [compute]\n", 1)
    (folder / "J2.yaml").write_text(f"{job}\nresources:\n  compute: {json.dumps({'type': 'cluster', 'config': config})}\n")
    call = [build / "bin" / "mutirao", "run", folder / "J2.yaml", "-p", f"input={data}", "-p", f"output={folder}/out"]
    began = time.perf_counter()
    done = subprocess.run(list(map(str, call)), cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    whole = time.perf_counter() - began
    op = json.loads((folder / "out.run.json").read_text())["ops"]["load"]
    return op["seconds"], whole, op.get("cluster")


def dask(system, data, folder):
    """Seconds of the job on a cluster that is up, and of the whole process."""
    call = [sys.executable, __file__, "--be-dask", system, str(data), str(folder / "dask")]
    began = time.perf_counter()
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return float(done.stdout), time.perf_counter() - began


def be_dask(system, data, out):
    from dask.distributed import Client, LocalCluster
    from dask_job import frame

    read = importlib.import_module(f"{system}_job").read
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        up = time.perf_counter()
        frame("J2", Path(data), read).to_parquet(out, compression="zstd", compression_level=1, write_index=False)
        print(time.perf_counter() - up)
    sys.stdout.flush()
    os._exit(0)  # see dask_job.py


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=lambda text: Path(text).resolve(), default=BENCH.parent / "build" / "release")
    parser.add_argument("--data", type=Path, default=BENCH.parent / "build" / "bench" / "data")
    parser.add_argument("--size", default="1GB")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--results", type=Path, default=cluster_results.FOLDER)
    parser.add_argument("--without-dask", action="store_true")
    parser.add_argument("--memory-as-found", action="store_true")
    parser.add_argument("--be-dask", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be_dask:
        be_dask(*options.be_dask)
    cpus = cluster_results.pin(options.cpus)
    data = Data(options.data, options.size, options.seed, options.build / "bin" / "mutirao-datagen")
    data.need(inputs("J2", "mutirao"))
    warm([data.folder / name for name in inputs("J2", "mutirao")])
    times, prints, starts = {}, {}, {}
    with tempfile.TemporaryDirectory() as top:
        for run in range(options.runs):
            for system in ("embedded", "cluster", *(() if options.without_dask else DASK)):
                folder = Path(top) / f"{system}-{run}"
                folder.mkdir()
                if not options.memory_as_found:
                    touch(MEMORY)
                if system in DASK:
                    seconds, whole = dask(system, data.folder, folder)
                    prints[system] = fingerprint(folder / "dask")
                else:
                    seconds, whole, account = mutirao(options.build, data.folder, folder,
                                                      CLUSTER if system == "cluster" else {"provider": "embedded"})
                    prints[system] = fingerprint(folder / "out")
                starts[system] = whole - seconds
                times.setdefault(system, []).append(seconds)
                if prints.setdefault("first", prints[system]) != prints[system]:
                    sys.exit(f"the outputs differ: {prints}")
                shutil.rmtree(folder)
    median = {system: statistics.median(seconds) for system, seconds in times.items()}
    for system, seconds in median.items():
        print(f"{system}: {seconds:.2f} s (start and end {starts[system]:.1f} s), {seconds / median['cluster']:.2f} × the cluster's")
    overhead = 100 * (median["cluster"] / median["embedded"] - 1)
    print(f"overhead of the cluster over this process: {overhead:.0f} %; {cpus} processors")
    cluster_results.keep(options.results, "cluster_j2.py", {
        "size": options.size, "memory": "as found" if options.memory_as_found else "touched before",
        "rows": prints["first"]["rows"], "seconds": times, "median": median,
        "start_and_end_seconds": starts, "overhead_percent": round(overhead, 1),
        **{f"{system}_by_cluster": round(median[system] / median["cluster"], 2) for system in DASK if system in median}})


if __name__ == "__main__":
    main()
