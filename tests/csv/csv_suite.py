#!/usr/bin/env python3
"""Run the CSV cases beside this file through a mutirao program: csv_suite.py BIN [NAME...].

Each case becomes a job that reads the file and writes Parquet; what comes back is compared row by row, in any order.
Prints a line for each case that is wrong and a sum; exits 1 when an uncontested case is wrong.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import pyarrow.parquet as parquet

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 20


def job_of(case, folder):
    read = {"csv": str(HERE / "data" / case["file"])}
    for key, value in case["read"].items():
        if key == "quote" and value is None:
            read[key] = ""
        elif value is not None:
            read[key] = value
    write = {"frame": "rows", "parquet": str(folder / "out"), "mode": "overwrite"}
    return {"name": "csv_case", "ops": {"load": {"frames": {"rows": {"read": read}}, "write": [write]}}}


def rows_of(paths):
    rows, names = [], None
    for path in sorted(paths):
        table = parquet.ParquetFile(path).read()
        names = names or table.schema.names
        rows += [tuple(row) for row in zip(*(column.to_pylist() for column in table.columns))]
    return rows, names


def run(program, case):
    """What the program did: {"failed": text} or {"rows", "columns", "quarantined"}; {"broken": text} for misbehaviour."""
    with tempfile.TemporaryDirectory(prefix="csv-suite-") as name:
        folder = pathlib.Path(name)
        # JSON is YAML.
        (folder / "job.yaml").write_text(json.dumps(job_of(case, folder), ensure_ascii=False), encoding="utf-8")
        try:
            done = subprocess.run([program, "run", "job.yaml"], cwd=folder, capture_output=True, timeout=SECONDS, text=True, errors="replace")
        except subprocess.TimeoutExpired:
            return {"broken": f"no end after {SECONDS} s"}
        parts = list(folder.rglob("*.parquet"))
        aside = [path for path in parts if "quarantine" in str(path.relative_to(folder))]
        data = [path for path in parts if path not in aside]
        if done.returncode in (1, 3):
            return {"broken": "it failed and left output behind"} if data else {"failed": done.stderr.strip() or "no word on stderr"}
        if done.returncode != 0:
            return {"broken": f"exit {done.returncode}: {done.stderr.strip()[:300]}"}
        rows, columns = rows_of(data)
        return {"rows": rows, "columns": columns, "quarantined": len(rows_of(aside)[0])}


def plain(rows, null_matters):
    return sorted(json.dumps(["" if value is None and not null_matters else value for value in row]) for row in rows)


def fault(want, got, null_matters):
    """Why `got` is not what `want` says, or nothing."""
    if want.get("fail"):
        return None if "failed" in got else "it did not fail"
    if "failed" in got:
        return got["failed"][:300]
    found = plain(got["rows"], null_matters)
    if "rows" in want:
        wanted = plain(want["rows"], null_matters)
        if found != wanted:
            return f"{len(found)} rows, {len(wanted)} wanted" if len(found) != len(wanted) else "rows differ"
    elif len(found) != want["row_count"]:
        return f"{len(found)} rows, {want['row_count']} wanted"
    elif not set(plain(want["head"], null_matters)) <= set(found):
        return "rows differ"
    if want.get("quarantined") is not None and want["quarantined"] != got["quarantined"]:
        return f"{got['quarantined']} rows quarantined, {want['quarantined']} wanted"
    if want.get("columns") and found and list(got["columns"]) != want["columns"]:
        return f"columns {got['columns']}"
    return None


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, only = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:]
    cases = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))["cases"]
    passed = wrong = contested = 0
    for case in cases:
        if only and case["name"] not in only:
            continue
        got = run(program, case)
        null_matters = case.get("null_matters", False)
        why = got.get("broken") or fault(case["expect"], got, null_matters)
        if why and "broken" not in got and case.get("contested"):
            if any(fault(other, got, null_matters) is None for other in case["accept"]):
                why = None
            else:
                contested += 1
                continue
        if why:
            wrong += 1
            print(f"{case['name']}: {why}")
        else:
            passed += 1
    print(f"{passed} passed, {wrong} wrong, {contested} contested and decided otherwise")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
