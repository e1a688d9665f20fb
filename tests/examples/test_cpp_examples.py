"""The C++ examples do what they say: two programs and a module that a job uses."""

import csv
import os
import subprocess
from pathlib import Path

import pyarrow.dataset
import pytest


@pytest.fixture(scope="module")
def build(root):
    return Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev"))


@pytest.fixture(scope="module")
def data(root):
    return root / "examples" / "active_companies" / "data"


def test_active_companies(build, data, tmp_path):
    done = subprocess.run([build / "bin" / "example_active_companies", data, tmp_path / "out"], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "read 2,006 = written 856 + filtered 1,150 + quarantined 0\n".replace(",", "")
    table = pyarrow.dataset.dataset(tmp_path / "out", partitioning="hive").to_table()
    assert table.num_rows == 856 and str(table.schema.field("data_inicio_atividade").type) == "date32[day]"


def test_count_by_state_prints_rows_and_the_fault(build, data):
    done = subprocess.run([build / "bin" / "example_count_by_state", data], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["uf", "rows", "companies", "share"] and lines[1].split()[0] == "string"
    assert lines[3].split()[0] == "SP"
    assert lines[-1].startswith('Filter: column "situacao" is not in')


def test_a_job_runs_an_op_of_a_module(build, root, project):
    out = project.path("towns.csv")
    job = root / "examples" / "cpp" / "jobs" / "towns.yaml"
    outcome = project.run_ok("run", job, "-p", f"module={build}/lib/libtowns_module.so", "-p", f"output={out}", "-p",
                             f"input={root}/examples/active_companies/data")
    assert "wrote 5 towns" in outcome.err
    rows = list(csv.DictReader(open(out, encoding="utf-8")))
    assert len(rows) == 5 and rows[0]["town"] == "SAO PAULO"


def test_a_missing_op_of_a_module_names_those_it_has(build, root, project):
    project.job(f'name: job\nops: {{go: {{module: "{build}/lib/libtowns_module.so#larges_towns"}}}}\n')
    outcome = project.run("run", "job")
    assert outcome.code == 3 and 'has no op "larges_towns"' in outcome.err and "largest_towns" in outcome.err
    project.job('name: job\nops: {go: {module: "nowhere.so#x"}}\n')
    assert "does not exist" in project.run("run", "job").err
