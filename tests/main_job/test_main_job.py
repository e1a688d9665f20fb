"""The example job against two independent computations, read back by four engines, cell by cell."""

import shutil

import duckdb
import pandas as pd
import polars as pl
import pytest

from harness.parquet import assert_same_rows, dataset_glob
from harness.project import Project
from main_job.oracles import COLUMNS, by_duckdb, by_pandas

ACTIVE = 856  # of 2,006 establishments


@pytest.fixture(scope="module")
def expected(dump, tmp_path_factory):
    rows = by_pandas(dump)
    assert_same_rows(rows, by_duckdb(dump, tmp_path_factory.mktemp("unpacked")), COLUMNS)
    assert len(rows) == ACTIVE
    return rows


@pytest.fixture(scope="module")
def finished(root, binary, tmp_path_factory):
    """The example, copied and run."""
    folder = tmp_path_factory.mktemp("example") / "active_companies"
    shutil.copytree(root / "examples" / "active_companies", folder, ignore=shutil.ignore_patterns("out"))
    example = Project(folder, binary)
    python = root / ".venv" / "bin"
    example.outcome = example.run_ok("run", "jobs/active_companies.yaml", "--json", env={"PATH": f"{python}:/usr/bin:/bin"})
    return example


def from_pyarrow(folder):
    table = Project(folder, "").read("out/active_companies").select(COLUMNS)
    return list(zip(*(column.to_pylist() for column in table.columns)))


def from_duckdb(folder):
    source = f"read_parquet('{dataset_glob(folder / 'out/active_companies')}', hive_partitioning=true)"
    return duckdb.connect().execute(f"select {', '.join(COLUMNS)} from {source}").fetchall()


def from_polars(folder):
    return pl.read_parquet(dataset_glob(folder / "out/active_companies"), hive_partitioning=True).select(COLUMNS).rows()


def from_pandas(folder):
    frame = pd.read_parquet(folder / "out/active_companies")[COLUMNS]
    return [tuple(None if pd.isna(v) else v for v in row)
            for row in zip(*(frame[name].astype(object) for name in COLUMNS))]


def test_the_two_oracles_agree_and_say_something(expected):
    columns = dict(zip(COLUMNS, zip(*expected)))
    # A comparison over columns that are all null would prove nothing.
    assert all(len(set(values)) > 1 for values in columns.values())
    assert any(value is None for value in columns["razao_social"])
    assert any(value is None for value in columns["data_situacao_cadastral"])
    assert any("Ã" in (value or "") or "Ç" in (value or "") for value in columns["cnae_descricao"] + columns["logradouro"])


@pytest.mark.parametrize("reader", [from_pyarrow, from_duckdb, from_polars, from_pandas])
def test_every_cell_is_right_in(reader, finished, expected):
    assert_same_rows(reader(finished.folder), expected, COLUMNS)


def test_dataset_is_one_folder_a_state(finished, expected):
    folders = {path.name for path in finished.path("out/active_companies").iterdir() if path.is_dir()}
    assert folders == {f"uf={uf}" for uf in {row[COLUMNS.index("uf")] for row in expected}}
    assert all("uf" not in pl.read_parquet_schema(path) for path in finished.path("out/active_companies").rglob("*.parquet"))


def test_report_op_counts_what_was_written(finished, expected):
    report = finished.path("out/report.txt").read_text()
    matched = sum(row[COLUMNS.index("razao_social")] is not None for row in expected)
    assert report.startswith(f"{ACTIVE} active establishments, {matched} with a company\n")
    assert len(report.splitlines()) == 3 + len({row[COLUMNS.index("uf")] for row in expected})


def test_states_are_chosen_by_a_parameter(finished, expected):
    finished.run_ok("run", "jobs/active_companies.yaml", "--only", "load", "-p", 'uf=["SP","AC","RR"]', "-p", "output=out/few")
    chosen = [row for row in expected if row[COLUMNS.index("uf")] in ("SP", "AC", "RR")]
    table = finished.read("out/few").select(COLUMNS)
    assert_same_rows(list(zip(*(c.to_pylist() for c in table.columns))), chosen, COLUMNS)


def test_a_second_run_replaces_the_first(finished, expected):
    finished.run_ok("run", "jobs/active_companies.yaml", "--only", "load", "-p", "output=out/twice")
    before = finished.files("out/twice")
    finished.run_ok("run", "jobs/active_companies.yaml", "--only", "load", "-p", "output=out/twice")
    assert len(finished.files("out/twice")) == len(before)
    assert finished.read("out/twice").num_rows == len(expected)
