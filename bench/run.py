"""Measure the benchmark jobs: whole processes, systems in turn (A B C A B C …), outputs compared, medians kept.

    bench/run.py [--size 1GB] [--rounds 3] [--jobs J1,J2] [--systems mutirao,duckdb] [--once dask]

Data are made by mutirao-datagen below bench/data (seeded, so anybody has the same). Input is warm in the page cache.
Raw figures go to bench/results/<cpu>.json, beside those of the jobs that were not run this time; bench/table.py makes
the README's table from them. J6, Spark and dask_csv (Dask as its documentation shows it) run only when they are named.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import sys
from pathlib import Path

from compare import fingerprint
from data import Data, inputs
from page_state import warm
from process import measure
from systems import DEFAULT, EVERY, JOBS, PEERS, command, does, installed, version_of

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT / "bench"
BUILD = ROOT / "build" / "release" / "bin"


def names(known):
    def parse(text):
        chosen = text.split(",") if text else []
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"there is no {name}; choose from {', '.join(known)}")
        return chosen
    return parse


def arguments():
    systems = ("mutirao", *PEERS)
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", default="1GB", help="of the establishments table")
    parser.add_argument("--full-size", default="17GB", help="the same in J6")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=names(EVERY), default=list(JOBS))
    parser.add_argument("--systems", type=names(systems), help=f"default: {','.join(DEFAULT)}, as far as installed")
    parser.add_argument("--once", type=names(systems), default=[], help="systems that run in the first round only")
    parser.add_argument("--program", type=Path, default=BUILD / "mutirao")
    parser.add_argument("--datagen", type=Path, default=BUILD / "mutirao-datagen")
    parser.add_argument("--data", type=Path, default=BENCH / "data")
    parser.add_argument("--results", type=Path, default=BENCH / "results")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "bench", help="where outputs are written and removed")
    args = parser.parse_args()
    args.systems = choose_systems(args.systems)
    for name in ("program", "datagen", "data", "work"):  # the jobs run in another folder
        setattr(args, name, getattr(args, name).resolve())
    return args


def choose_systems(wanted):
    chosen = []
    for system in wanted or DEFAULT:
        if installed(system):
            chosen.append(system)
            continue
        say = f"{system} is not installed: pip install -r bench/requirements{'-spark' if system == 'spark' else ''}.txt"
        sys.exit(say) if wanted else print(f"skipped: {say}", file=sys.stderr)
    return chosen


def run_once(job, system, args, folder):
    """Run a system from nothing; gives what it took and its output's folder."""
    out = args.work / f"{job}-{system}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    return measure(command(system, job, args.program, folder, out), args.work / f"{job}-{system}.log"), out


def measure_job(job, systems, args, folder):
    runs, outputs = {s: [] for s in systems}, {}
    for turn in range(args.rounds):
        for system in systems:
            if turn > 0 and system in args.once:
                continue
            took, out = run_once(job, system, args, folder)
            runs[system].append(took)
            if turn == 0:
                outputs[system] = fingerprint(out)
                outputs[system]["bytes"] = sum(p.stat().st_size for p in out.rglob("*.parquet"))
            shutil.rmtree(out)
    compared = [{k: v for k, v in outputs[s].items() if k != "bytes"} for s in systems]
    if any(c != compared[0] for c in compared):
        sys.exit(f"{job}: the systems do not agree:\n" + "\n".join(f"  {s}: {outputs[s]}" for s in systems))
    return {s: {"median_wall": statistics.median(r["wall"] for r in runs[s]),
                "median_cpu": statistics.median(r["cpu"] for r in runs[s]),
                "peak_rss_mib": max(r["rss_mib"] for r in runs[s]),
                "output_rows": outputs[s]["rows"], "output_bytes": outputs[s]["bytes"], "runs": runs[s]} for s in systems}


def say(job, figures):
    ours = figures.get("mutirao", next(iter(figures.values())))
    for system, its in figures.items():
        print(f"{job} {system:9} {its['median_wall']:8.2f} s {its['median_wall'] / ours['median_wall']:6.2f} ×  "
              f"{its['median_cpu']:7.2f} s CPU  {its['peak_rss_mib']:7.0f} MiB  {its['output_bytes'] / 1e6:7.1f} MB written",
              flush=True)


def cpu_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def size_of(job, args):
    return args.full_size if job == "J6" else args.size


def earlier(path, machine, args, data):
    """Jobs measured before on this machine with data of the same size, seed and generator."""
    if not path.is_file():
        return {}
    result = json.loads(path.read_text())
    if result["machine"] != machine:
        return {}
    return {job: figures for job, figures in result["jobs"].items()
            if figures["data"]["wanted"] == data.wanted | {"size": size_of(job, args)}}


def main():
    args = arguments()
    machine = {"cpu": cpu_name(), "cpus": len(os.sched_getaffinity(0)), "system": platform.platform()}
    target = args.results / (re.sub(r"[^a-z0-9]+", "-", machine["cpu"].lower()).strip("-") + ".json")
    args.work.mkdir(parents=True, exist_ok=True)
    args.results.mkdir(parents=True, exist_ok=True)
    versions = {system: version_of(system, args.program) for system in args.systems}
    for job in args.jobs:
        systems = [s for s in args.systems if does(s, job)]
        data = Data(args.data, size_of(job, args), args.seed, args.datagen)
        files = sorted({name for system in systems for name in inputs(job, system)})
        data.need(files)
        if job != "J6":  # does not fit
            warm(data.folder / name for name in files)
        figures = measure_job(job, systems, args, data.folder)
        say(job, figures)
        jobs = earlier(target, machine, args, data)
        jobs[job] = {"data": {"wanted": data.wanted, **data.made}, "rounds": args.rounds,
                     "versions": {s: versions[s] for s in systems}, "systems": figures}
        target.write_text(json.dumps({"machine": machine, "jobs": dict(sorted(jobs.items()))}, indent=1) + "\n")
    print(f"results: {target}")


if __name__ == "__main__":
    main()
