"""The CSV cases of public suites, read by the program into Parquet and compared row by row, in any order."""

import hashlib
import json
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CASES = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))["cases"]
SECONDS = 60


def job_of(case):
    read = {"csv": str(HERE / "data" / case["file"])}
    for key, value in case["read"].items():
        if key == "quote" and value is None:
            read[key] = ""
        elif value is not None:
            read[key] = value
    write = {"frame": "rows", "parquet": "out", "mode": "overwrite"}
    return {"ops": {"load": {"frames": {"rows": {"read": read}}, "write": [write]}}}


def lines_of(rows, null_matters):
    """One text a row, sorted; nulls are empty texts unless they matter."""
    return sorted(json.dumps(["" if value is None and not null_matters else value for value in row],
                             ensure_ascii=False, separators=(",", ":")) for row in rows)


def assert_rows(want, found, null_matters):
    if "rows" in want:
        assert found == lines_of(want["rows"], null_matters)
        return
    assert len(found) == want["row_count"]
    assert set(lines_of(want["head"], null_matters)) <= set(found)
    assert hashlib.sha256("\n".join(found).encode("utf-8", "surrogatepass")).hexdigest() == want["sha256"]


def assert_outcome(want, project, outcome, null_matters):
    if want.get("fail"):
        assert outcome.code in (1, 3) and outcome.err.strip(), outcome
        assert not project.path("out").exists()
        return
    assert outcome.code == 0, outcome
    table = project.read("out")
    rows = list(zip(*(column.to_pylist() for column in table.columns)))
    assert_rows(want, lines_of(rows, null_matters), null_matters)
    if want.get("quarantined") is not None:
        aside = project.path("out.quarantine")
        assert (project.read("out.quarantine").num_rows if aside.exists() else 0) == want["quarantined"]
    if want.get("columns") and rows:
        assert table.schema.names == want["columns"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case, project):
    outcome = project.run("run", project.job(job_of(case)), timeout=SECONDS)
    # Where readers differ there is more than one right answer.
    wants = [case["expect"], *case.get("accept", [])]
    failures = []
    for want in wants:
        try:
            return assert_outcome(want, project, outcome, case.get("null_matters", False))
        except AssertionError as failure:
            failures.append(failure)
    raise failures[0]
