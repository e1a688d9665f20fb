"""Generated register data, dirty rows among them, against Python's own csv module: every cell, every bad record."""

import csv
import io
import json
import os
import subprocess
from pathlib import Path

import pytest

from harness.cnpj import LAYOUTS
from harness.parquet import assert_same_rows

ROWS = 30_000
COLUMNS = LAYOUTS["estabelecimentos"]


@pytest.fixture(scope="module")
def generated(root, tmp_path_factory):
    """A folder with est.csv, est.zip and est.gz of the same dirty rows, and what the generator says about them."""
    folder = tmp_path_factory.mktemp("generated")
    datagen = Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev")) / "bin" / "mutirao-datagen"
    for name in ("est.csv", "est.zip", "est.gz"):
        said = subprocess.run([datagen, "establishments", folder / name, "--rows", str(ROWS), "--seed", "11", "--dirty", "0.02"],
                              check=True, capture_output=True).stdout
    return folder, json.loads(said)


@pytest.fixture(scope="module")
def expected(generated):
    """(rows of 30 columns, raw bytes of the others) as Python's csv module sees them."""
    folder, said = generated
    content = (folder / "est.csv").read_bytes()
    good, bad = [], []
    for record in records(content):
        text = record.replace(b"\0", b"").decode("latin-1")
        [fields] = csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True)
        if len(fields) == len(COLUMNS):
            good.append(tuple(field or None for field in fields))
        else:
            bad.append(record)
    assert len(bad) == said["dirty"]["field_missing"] + said["dirty"]["field_too_many"]
    assert len(good) + len(bad) == ROWS
    return good, sorted(bad)


def records(content):
    """Cut at the line ends that are not inside quotes."""
    start = 0
    for line_end in (i for i, byte in enumerate(content) if byte == 0x0A):
        if content.count(b'"', start, line_end) % 2 == 0:
            yield content[start:line_end]
            start = line_end + 1


def job(steps=()):
    frame = {"read": {"csv": "${input}", "layout": "cnpj/estabelecimentos", "on_error": "quarantine"}, "steps": list(steps)}
    return {"params": {"input": {"type": "string"}},
            "ops": {"load": {"frames": {"rows": frame}, "write": [{"frame": "rows", "parquet": "out", "mode": "overwrite"}]}}}


@pytest.mark.parametrize("name", ["est.csv", "est.zip", "est.gz"])
def test_every_cell_and_every_bad_record(project, generated, expected, name):
    folder, _ = generated
    project.run_ok("run", project.job(job()), "-p", f"input={folder / name}")
    good, bad = expected
    table = project.read("out")
    assert_same_rows(list(zip(*(c.to_pylist() for c in table.columns))), good, COLUMNS)
    assert sorted(project.read("out.quarantine")["raw"].to_pylist()) == bad


def test_places_of_bad_records_lead_back_to_them(project, generated, expected):
    folder, _ = generated
    project.run_ok("run", project.job(job([{"limit": 10_000_000}])), "-p", f"input={folder}/est.csv")
    content = (folder / "est.csv").read_bytes()
    starts = [0] + [i + 1 for i, byte in enumerate(content) if byte == 0x0A]
    found = project.read("out.quarantine").to_pylist()
    assert found
    for row in found:
        assert content[row["byte_offset"]:].startswith(row["raw"] + b"\n")
        assert starts[row["line"] - 1] == row["byte_offset"]


def test_filtered_rows_are_the_others(project, generated, expected):
    folder, said = generated
    good, bad = expected
    active = [row for row in good if row[COLUMNS.index("situacao_cadastral")] == "02"]
    steps = [{"filter": "situacao_cadastral = '02'"}, {"select": ["cnpj_basico", "cnpj_ordem", "nome_fantasia", "municipio"]}]
    project.run_ok("run", project.job(job(steps)), "-p", f"input={folder}/est.csv")
    names = steps[1]["select"]
    wanted = [tuple(row[COLUMNS.index(name)] for name in names) for row in active]
    assert_same_rows(list(zip(*(c.to_pylist() for c in project.read("out").columns))), wanted, names)
    assert sorted(project.read("out.quarantine")["raw"].to_pylist()) == bad
