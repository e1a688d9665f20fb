"""What an exchange costs: all columns of the establishments are cut by a key into buckets and read back, on a LocalCluster.

    bench/cluster_exchange.py [--build build/release] [--data build/bench/data] [--size 10GB] [--seed 1] [--maps 64]
                              [--buckets 64] [--workers 2] [--results bench/results/cluster] [--remove-data]

The plan looks the establishments of some hundred companies up, by a join that is told to cut both sides by their keys: so
all rows go through exchange files and few come out, which must be those that DuckDB finds. The same join with the small
side given to every task exchanges next to nothing: the difference is what the exchange takes. While a plan runs, the folder
of the exchange is looked at: one file for each task that wrote.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import threading
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "python"), str(BENCH.parent / "tests" / "cluster"), str(BENCH.parent / "tests")]

import duckdb  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet  # noqa: E402

import cluster_results  # noqa: E402
from columns import ESTABLISHMENT, read_csv  # noqa: E402
from data import Data  # noqa: E402
from page_state import warm  # noqa: E402

COMPANIES = 300
LONGEST = 3600  # seconds for a plan


class Files:
    """The most files and bytes that are seen in the folders `exchange` below a place. Files stay until a plan ends."""

    def __init__(self, place):
        self.place, self.count, self.bytes, self.done = Path(place), 0, 0, threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.done.wait(0.1):
            sizes = list(self._sizes())
            if sum(sizes) > self.bytes:
                self.count, self.bytes = len(sizes), sum(sizes)

    def _sizes(self):
        for folder in self.place.glob("*/exchange"):
            try:
                for path in folder.rglob("*.mxch"):
                    yield path.stat().st_size
            except OSError:
                continue  # the plan has just ended

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def pick_companies(path, seed):
    """Companies of rows here and there in a file."""
    chance = random.Random(seed)
    found = set()
    with open(path, "rb") as file:
        while len(found) < COMPANIES:
            file.seek(chance.randrange(path.stat().st_size - 2000))
            file.readline()
            found.add(file.readline().split(b";")[0].strip(b'"').decode())
    return sorted(found)


def frames(path, wanted):
    return {"wanted": {"read": {"parquet": str(wanted)}, "steps": []},
            "rows": {"read": {"csv": str(path), "layout": "cnpj/estabelecimentos"},
                     "steps": [{"join": {"with": "wanted", "on": "cnpj_basico", "how": "semi"}}]}}


def rows_of_duckdb(path, wanted):
    columns = ", ".join(ESTABLISHMENT)
    found = duckdb.execute(f"select {columns} from {read_csv(path, ESTABLISHMENT)} "
                           f"where cnpj_basico in (select cnpj_basico from '{wanted}')").fetchall()
    return sorted(json.dumps(row) for row in found)


def measure(cluster, plan, joins, rows):
    """Run the plan with its join spread in a way; gives the answer, its rows apart, and the exchange's files."""
    with Files(plan["folder"]) as files:
        cluster.begin(**plan, joins=joins, only="cluster", show=True)
        answer = cluster.answer(LONGEST)
    if "rows" not in answer:
        sys.exit(f"the plan failed: {answer}")
    if (read := cluster.of_kind("progress")[-1]["rows_read"]) != rows:
        sys.exit(f"{read} rows were read of {rows}")
    if answer["account"]["attempts_lost"] or answer["account"]["attempts_copied"]:
        sys.exit(f"not all tasks ran once: {answer['account']}")
    return answer, sorted(json.dumps(json.loads(row)) for row in answer.pop("shown")), files


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
    parser.add_argument("--only-data", action="store_true", help="make the data and end")
    parser.add_argument("--remove-data", action="store_true", help="remove the data afterwards")
    options = parser.parse_args()
    from plans import Cluster

    data = Data(options.data, options.size, options.seed, options.build / "bin" / "mutirao-datagen")
    data.need(["est.csv"])
    if options.only_data:
        return
    path = data.folder / "est.csv"
    size, rows = path.stat().st_size, data.made["establishments"]["rows"]
    warm([path])  # what of it fits
    with tempfile.TemporaryDirectory(dir=options.data) as folder:
        wanted = Path(folder) / "wanted.parquet"
        pa.parquet.write_table(pa.table({"cnpj_basico": pick_companies(path, options.seed)}), wanted)
        plan = {"frames": frames(path, wanted), "frame": "rows", "folder": folder, "partitions": options.buckets,
                "task_bytes": size // options.maps + 1, "straggler": LONGEST}
        cluster = Cluster(options.build, n_workers=options.workers, worker_memory=4 << 30)
        try:
            if "workers" not in cluster.started:
                sys.exit(f"the cluster did not start: {cluster.started}")
            without, same, _ = measure(cluster, plan, "broadcast", rows + COMPANIES)
            answer, found, files = measure(cluster, plan, "partitioned", rows + COMPANIES)
        finally:
            cluster.close()
        if not found or found != same or found != rows_of_duckdb(path, wanted):
            sys.exit(f"{len(found)} rows came out with the exchange, {len(same)} without, and they are not those of DuckDB")
    if options.remove_data:
        shutil.rmtree(data.folder)
    report(options, size, rows, without, answer, files)


def report(options, size, rows, without, answer, files):
    seconds, extra = answer["seconds"], answer["seconds"] - without["seconds"]
    workers = answer["account"]["workers"].values()
    peaks = {name: max(worker[name] for worker in workers) for name in ("held_peak_bytes", "resident_peak_bytes", "spilled_bytes")}
    print(f"{size / 1e9:.2f} GB of CSV, {rows:,} rows, {options.maps} tasks to {options.buckets} buckets: {files.count} files of "
          f"{files.bytes / 1e9:.2f} GB in all\n"
          f"{seconds:.1f} s, without the exchange {without['seconds']:.1f} s: {seconds * 1e9 / size:.2f} s for each GB of input, "
          f"{extra * 1e9 / size:.2f} of them the exchange\n"
          f"of a worker at most {peaks['held_peak_bytes'] >> 20} MiB in the budget, {peaks['resident_peak_bytes'] >> 20} MiB resident, "
          f"{peaks['spilled_bytes'] / 1e9:.2f} GB spilled")
    cluster_results.keep(options.results, "cluster_exchange.py", {
        "input_bytes": size, "rows": rows, "maps": options.maps, "buckets": options.buckets, "workers": options.workers,
        "files": files.count, "exchange_bytes": files.bytes, "seconds": round(seconds, 2),
        "seconds_without_exchange": round(without["seconds"], 2), "tasks": answer["account"]["tasks"], **peaks})


if __name__ == "__main__":
    main()
