"""Write the README's benchmark tables from bench/results/*.json and what bench/cluster_j2.py kept of the same machine, between
its two markers.

    bench/table.py [--check]      --check changes nothing and fails when the table is not what the results say
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
WHAT = {"J1": "filter, 10 of 30 columns", "J2": "J1 + date, trim, join, decimal", "J3": "30 columns, all rows",
        "J4": "J1 from ZIP (others: gzip)", "J5": "group by two columns, distinct counts",
        "J6": "J2 at full size in 2 GiB", "J7": "Parquet: filter, join, group"}
NAMES = {"mutirao": "Mutirão", "duckdb": "DuckDB", "polars": "Polars", "dask": "Dask", "dask_csv": "Dask read_csv",
         "pyarrow": "pyarrow", "spark": "Spark"}


def label(system, job, figures):
    if system == "mutirao":
        return NAMES[system]
    note = {"polars": ", UTF-8 copy", "dask": ", parsed by pyarrow"}.get(system, "") if job != "J7" else ""
    return f"{NAMES[system]} {figures['versions'][system]}{note}"


def rows(job, figures):
    ours = figures["systems"]["mutirao"]["median_wall"]
    size = f", {figures['data']['wanted']['size']}" if job == "J6" else ""
    for number, (system, its) in enumerate(figures["systems"].items()):
        bold = "**" if system == "mutirao" else ""
        cells = [f"{job}: {WHAT[job]}{size}" if number == 0 else "", label(system, job, figures),
                 f"{its['median_wall']:.2f} s", f"{its['median_cpu']:.2f} s", f"{its['peak_rss_mib']:.0f} MiB",
                 f"{its['output_bytes'] / 1e6:.1f} MB", f"{its['median_wall'] / ours:.1f}×"]
        yield "| " + " | ".join(f"{bold}{cell}{bold}" if cell and n > 0 else cell for n, cell in enumerate(cells)) + " |"


def table(result):
    machine, jobs = result["machine"], result["jobs"]
    data = next(figures["data"] for job, figures in jobs.items() if job != "J6" or len(jobs) == 1)["establishments"]
    rounds = sorted({len(its["runs"]) for figures in jobs.values() for its in figures["systems"].values()})
    runs = "One run" if rounds == [1] else f"Medians of {' to '.join(map(str, sorted({rounds[0], rounds[-1]})))} runs"
    lines = [f"{runs} of whole processes on {machine['cpus']} × {machine['cpu']}, {data['bytes'] / 1e9:.2f} GB of "
             f"generated establishments ({data['rows']:,} rows), input in the page cache, outputs equal cell by cell.", "",
             "| Job | System | Time | CPU | Peak memory | Written | Time ÷ Mutirão's |", "|---|---|--:|--:|--:|--:|--:|"]
    return "\n".join([*lines, *(row for job, figures in jobs.items() for row in rows(job, figures))])


def cluster(figures):
    """What J2 takes on a Dask cluster, as a sentence."""
    median = figures["median"]
    lines = [f"J2 on a Dask cluster of this machine (LocalCluster, two workers of one thread, medians of "
             f"{len(figures['seconds']['cluster'])} runs without the start and end of processes and clusters): Mutirão "
             f"**{median['cluster']:.2f} s**, {figures['overhead_percent']:.0f} % more than in one process"]
    for system, note in (("dask", ", parsed by pyarrow"), ("dask_csv", "")):
        if system in median:
            lines.append(f"{NAMES[system]}{note} {median[system]:.1f} s ({median[system] / median['cluster']:.1f}×)")
    return "; ".join(lines) + "."


def of_a_machine(path):
    text = table(json.loads(path.read_text()))
    on_a_cluster = path.parent / "cluster" / path.name
    figures = json.loads(on_a_cluster.read_text()).get("cluster_j2.py") if on_a_cluster.is_file() else None
    return f"{text}\n\n{cluster(figures)}" if figures else text


def with_tables(readme, results):
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + "\n".join([BEGIN, "\n\n".join(map(of_a_machine, sorted(results.glob("*.json")))), END]) + tail


if __name__ == "__main__":
    path = ROOT / "README.md"
    before = path.read_text()
    after = with_tables(before, ROOT / "bench" / "results")
    if "--check" in sys.argv[1:]:
        sys.exit(0 if before == after else "README.md: the benchmark table is not what bench/results says: run bench/table.py")
    path.write_text(after)
