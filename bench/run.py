"""Measure the benchmark jobs: whole processes, systems in turn (A B C A B C …), outputs compared, medians kept.

    bench/run.py [--size 1GB] [--rounds 5] [--jobs J1,J2,J3] [--systems mutirao,duckdb,polars]

Data are made by mutirao-datagen into bench/data (seeded, so anybody has the same). Input is warm in the page cache.
Raw figures go to bench/results/<cpu>.json; bench/table.py makes the README's table from them.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT / "bench"
BUILD = ROOT / "build" / "release" / "bin"
SYSTEMS = ("mutirao", "duckdb", "polars")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", default="1GB", help="of the establishments table")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", default="J1,J2,J3")
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--program", type=Path, default=BUILD / "mutirao")
    parser.add_argument("--datagen", type=Path, default=BUILD / "mutirao-datagen")
    parser.add_argument("--data", type=Path, default=BENCH / "data")
    parser.add_argument("--results", type=Path, default=BENCH / "results")
    return parser.parse_args()


def make_data(args):
    """Write the four files unless they are there already for this size and seed; gives what the generator said."""
    wanted = {"size": args.size, "seed": args.seed}
    stamp = args.data / "made.json"
    if stamp.is_file() and (made := json.loads(stamp.read_text()))["wanted"] == wanted:
        return made
    shutil.rmtree(args.data, ignore_errors=True)
    args.data.mkdir(parents=True)

    def make(table, name, *options):
        call = [args.datagen, table, args.data / name, "--seed", str(args.seed), *map(str, options)]
        return json.loads(subprocess.run(call, check=True, capture_output=True).stdout)

    establishments = make("establishments", "est.csv", "--size", args.size)
    make("establishments", "est_utf8.csv", "--size", args.size, "--utf8")
    companies = make("companies", "emp.csv", "--rows", establishments["companies"])
    make("companies", "emp_utf8.csv", "--rows", establishments["companies"], "--utf8")
    made = {"wanted": wanted, "establishments": establishments, "companies": companies}
    stamp.write_text(json.dumps(made))
    return made


def command(system, job, args, out):
    if system == "mutirao":
        return [args.program, "run", BENCH / "jobs" / f"{job}.yaml", "-p", f"input={args.data}", "-p", f"output={out}/dataset"]
    return [sys.executable, BENCH / "jobs" / f"{system}_job.py", job, args.data, out]


def measure(call, log):
    """Run a process to its end; gives wall and CPU seconds and the peak memory of the process in MB."""
    with open(log, "wb") as talk:
        began = time.perf_counter()
        process = subprocess.Popen(list(map(str, call)), stdout=talk, stderr=talk, stdin=subprocess.DEVNULL, cwd=log.parent)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, call))} ended with {process.returncode}:\n{log.read_text(errors='replace')[-2000:]}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss_mb": usage.ru_maxrss / 1024}


def fingerprint(out):
    """Rows of an output and a hash of its cells that does not depend on the order of rows, files or columns."""
    source = f"read_parquet('{out}/**/*.parquet')"
    connection = duckdb.connect()
    names = sorted(name for name, *_ in connection.execute(f"describe select * from {source}").fetchall())
    # Texts are compared as bytes, so that "é" written wrong is not equal.
    cells = ", ".join(f'cast("{name}" as varchar)' for name in names)
    rows, digest = connection.execute(
        f"select count(*), sum(cast(hash(row({cells})) as hugeint)) from {source}").fetchall()[0]
    return {"rows": rows, "hash": str(digest), "columns": names}


def measure_job(job, systems, args, work):
    runs, outputs = {s: [] for s in systems}, {}
    for turn in range(args.rounds):
        for system in systems:
            out = work / f"{job}-{system}"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            runs[system].append(measure(command(system, job, args, out), work / f"{job}-{system}.log"))
            if turn == 0:
                outputs[system] = fingerprint(out) | {"bytes": sum(p.stat().st_size for p in out.rglob("*.parquet"))}
            shutil.rmtree(out)
    compared = [{k: outputs[s][k] for k in ("rows", "hash", "columns")} for s in systems]
    if any(c != compared[0] for c in compared):
        sys.exit(f"{job}: the systems do not agree:\n" + "\n".join(f"  {s}: {outputs[s]}" for s in systems))
    return {s: {"median_wall": statistics.median(r["wall"] for r in runs[s]),
                "median_cpu": statistics.median(r["cpu"] for r in runs[s]),
                "peak_rss_mb": max(r["rss_mb"] for r in runs[s]),
                "output_rows": outputs[s]["rows"], "output_bytes": outputs[s]["bytes"], "runs": runs[s]} for s in systems}


def cpu_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def main():
    args = arguments()
    made = make_data(args)
    for path in args.data.glob("*.csv"):  # into the page cache
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass
    systems = args.systems.split(",")
    work = ROOT / "build" / "bench"
    work.mkdir(parents=True, exist_ok=True)
    result = {
        "machine": {"cpu": cpu_name(), "cpus": len(os.sched_getaffinity(0)), "system": platform.platform()},
        "versions": {"mutirao": subprocess.run([args.program, "version"], capture_output=True, text=True).stdout.strip(),
                     **{name: version(name) for name in systems if name != "mutirao"}},
        "data": made, "rounds": args.rounds, "jobs": {}}
    for job in args.jobs.split(","):
        result["jobs"][job] = measure_job(job, systems, args, work)
        for system, figures in result["jobs"][job].items():
            print(f"{job} {system:8} {figures['median_wall']:7.2f} s  {figures['median_cpu']:7.2f} s CPU  "
                  f"{figures['peak_rss_mb']:7.0f} MB  {figures['output_bytes'] / 1e6:7.1f} MB written", flush=True)
    args.results.mkdir(parents=True, exist_ok=True)
    target = args.results / (re.sub(r"[^a-z0-9]+", "-", cpu_name().lower()).strip("-") + ".json")
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(f"wrote {target.relative_to(ROOT) if target.is_relative_to(ROOT) else target}")


if __name__ == "__main__":
    main()
