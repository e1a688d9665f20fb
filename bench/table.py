"""Write the README's benchmark table from bench/results/*.json, between its two markers.

    bench/table.py [--check]      --check changes nothing and fails when the table is not what the results say
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
WHAT = {"J1": "filter, 10 of 30 columns", "J2": "J1 + date, trim, join, decimal", "J3": "30 columns, all rows"}
NAMES = {"mutirao": "Mutirão", "duckdb": "DuckDB", "polars": "Polars (UTF-8 copy)"}


def table(result):
    machine, data = result["machine"], result["data"]
    systems = list(next(iter(result["jobs"].values())))
    size = data["establishments"]["bytes"] / 1e9
    lines = [f"Median of {result['rounds']} whole processes on {machine['cpus']} × {machine['cpu']}, "
             f"{size:.2f} GB of generated establishments ({data['establishments']['rows']:,} rows), input in the page "
             f"cache, outputs equal cell by cell. Seconds / peak MB:", "",
             "| Job | " + " | ".join(f"{NAMES[s]} {result['versions'].get(s, '') if s != 'mutirao' else ''}".strip() for s in systems) + " |",
             "|---|" + "---|" * len(systems)]
    for job, figures in result["jobs"].items():
        cells = []
        for system in systems:
            text = f"{figures[system]['median_wall']:.2f} / {figures[system]['peak_rss_mb']:.0f}"
            ratio = figures[system]["median_wall"] / figures["mutirao"]["median_wall"]
            cells.append(f"**{text}**" if system == "mutirao" else f"{text} ({ratio:.1f}×)")
        lines.append(f"| {job}: {WHAT[job]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def with_tables(readme, results):
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    tables = [table(json.loads(path.read_text())) for path in sorted(results.glob("*.json"))]
    return head + "\n".join([BEGIN, "\n\n".join(tables), END]) + tail


if __name__ == "__main__":
    path = ROOT / "README.md"
    before = path.read_text()
    after = with_tables(before, ROOT / "bench" / "results")
    if "--check" in sys.argv[1:]:
        sys.exit(0 if before == after else "README.md: the benchmark table is not what bench/results says: run bench/table.py")
    path.write_text(after)
