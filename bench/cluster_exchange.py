"""What an exchange costs: all columns of the establishments are cut by a key into buckets and read back, on a LocalCluster.

    bench/cluster_exchange.py [--build build/release] [--data build/bench/data] [--size 10GB] [--seed 1] [--maps 64]
                              [--buckets 64] [--workers 2] [--results bench/results/cluster] [--remove-data]

The plan keeps one row for each number of an establishment and gives the greatest value of every column, so that all rows go
through exchange files and one row comes out, which must be what one process gives. While it runs, the folder of the exchange
is looked at: one file for each task that wrote.
"""

import argparse
import shutil
import sys
import tempfile
import threading
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "python"), str(BENCH.parent / "tests" / "cluster"), str(BENCH.parent / "tests")]

import cluster_results  # noqa: E402
from columns import ESTABLISHMENT  # noqa: E402
from data import Data, warm  # noqa: E402

KEYS = ["cnpj_basico", "cnpj_ordem", "cnpj_dv"]


class Files:
    """The most files and bytes that are seen in the folders `exchange` below a place. Files stay until a plan ends."""

    def __init__(self, place):
        self.place, self.count, self.bytes, self.done = Path(place), 0, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.done.wait(0.2):
            sizes = []
            for path in self.place.glob("**/exchange/**/*.mxch"):
                try:
                    sizes.append(path.stat().st_size)
                except OSError:
                    continue  # the plan has just ended
            if sum(sizes) > self.bytes:
                self.count, self.bytes = len(sizes), sum(sizes)

    def stop(self):
        self.done.set()
        self.thread.join()


def frames(path):
    most = {f"most_{name}": f"max({name})" for name in ESTABLISHMENT if name not in KEYS}
    return {"rows": {"read": {"csv": str(path), "layout": "cnpj/estabelecimentos"},
                     "steps": [{"distinct": KEYS}, {"aggregate": {"with": {"rows": "count()", **most}}}]}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=lambda text: Path(text).resolve(), default=BENCH.parent / "build" / "release")
    parser.add_argument("--data", type=lambda text: Path(text).resolve(), default=BENCH.parent / "build" / "bench" / "data")
    parser.add_argument("--size", default="10GB")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--maps", type=int, default=64)
    parser.add_argument("--buckets", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--results", type=Path, default=cluster_results.FOLDER)
    parser.add_argument("--compare", action="store_true", help="run it in one process, too, and compare what comes out")
    parser.add_argument("--only-data", action="store_true", help="make the data and end")
    parser.add_argument("--remove-data", action="store_true", help="remove the data afterwards")
    options = parser.parse_args()
    from plans import Cluster

    data = Data(options.data, options.size, options.seed, options.build / "bin" / "mutirao-datagen")
    data.need(["est.csv"])
    if options.only_data:
        return
    path = data.folder / "est.csv"
    size = path.stat().st_size
    if size < 2 << 30:
        warm([path])
    with tempfile.TemporaryDirectory(dir=options.data) as folder:
        cluster = Cluster(options.build, n_workers=options.workers, worker_memory=4 << 30)
        if "workers" not in cluster.started:
            sys.exit(f"the cluster did not start: {cluster.started}")
        files = Files(folder)
        answer = cluster.run(frames=frames(path), frame="rows", folder=folder, task_bytes=size // options.maps + 1,
                             partitions=options.buckets, straggler=1000, **({} if options.compare else {"only": "cluster"}))
        files.stop()
        cluster.close()
    if answer.get("rows") != 1 or answer.get("same", True) is not True:
        sys.exit(f"the plan failed: {answer}")
    if options.remove_data:
        shutil.rmtree(data.folder)
    gigabytes = size / 1e9
    seconds = answer["seconds"]
    print(f"{gigabytes:.1f} GB of CSV, {data.made['establishments']['rows']:,} rows, {options.maps} tasks to {options.buckets} "
          f"buckets: {files.count} files of {files.bytes / 1e9:.2f} GB in all, {seconds:.1f} s, "
          f"{seconds / gigabytes:.2f} s for each GB of input, {1e9 * seconds / files.bytes:.2f} s for each GB exchanged")
    cluster_results.keep(options.results, "cluster_exchange.py", {
        "input_bytes": size, "rows": data.made["establishments"]["rows"], "maps": options.maps, "buckets": options.buckets,
        "workers": options.workers, "files": files.count, "exchange_bytes": files.bytes, "seconds": round(seconds, 2),
        "tasks": answer["account"]["tasks"]})


if __name__ == "__main__":
    main()
