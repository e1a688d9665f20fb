"""The benchmark harness on a tiny table: every job in every installed system, outputs equal, results and table written."""

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import process  # noqa: E402
import systems  # noqa: E402
import table  # noqa: E402


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def bench(root, binary, place):
    """Run bench/run.py with its data, work and results in a folder of the test."""
    datagen = Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev")) / "bin" / "mutirao-datagen"

    def run(*arguments):
        call = [sys.executable, root / "bench" / "run.py", "--program", binary, "--datagen", datagen, "--rounds", 1,
                "--data", place / "data", "--results", place / "results", "--work", place / "work", *arguments]
        return subprocess.run(list(map(str, call)), capture_output=True, text=True)

    return run


def results(place):
    [path] = (place / "results").glob("*.json")
    return json.loads(path.read_text())


@pytest.mark.parametrize("job", systems.JOBS)
def test_systems_agree(bench, place, job):
    chosen = [s for s in systems.DEFAULT if systems.does(s, job) and systems.installed(s)]
    done = bench("--size", "2MB", "--jobs", job, "--systems", ",".join(chosen))
    assert done.returncode == 0, done.stdout + done.stderr
    figures = results(place)["jobs"][job]["systems"]
    assert list(figures) == chosen
    assert figures["mutirao"]["output_rows"] > 1000 and figures["mutirao"]["output_bytes"] > 1000
    for its in figures.values():
        assert its["median_wall"] > 0 and its["median_cpu"] > 0 and its["peak_rss_mib"] > 10


@pytest.mark.parametrize("job", ["J2", "J4"])
def test_dask_with_its_own_reader_agrees(bench, place, job):
    done = bench("--size", "2MB", "--jobs", job, "--systems", "mutirao,dask_csv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(results(place)["jobs"][job]["systems"]) == ["mutirao", "dask_csv"]


def test_full_size_job_agrees(bench, place):
    done = bench("--full-size", "2MB", "--jobs", "J6")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(results(place)["jobs"]["J6"]["systems"]) == ["mutirao", "duckdb"]


def test_memory_and_cpu_of_children_count(place):
    took = process.measure([sys.executable, "-c", "import subprocess, sys; subprocess.run([sys.executable, '-c', "
                            "'b = bytearray(200 << 20); import time; time.sleep(1)'])"], place / "log")
    assert took["rss_mib"] > 200


def test_memory_of_the_harness_does_not_count(place):
    ballast = b"x" * (300 << 20)
    assert process.measure(["sleep", "0.2"], place / "log")["rss_mib"] < 100 < len(ballast)


def test_earlier_jobs_are_kept_until_the_data_change(bench, place):
    call = ("--systems", "mutirao,duckdb", "--size")
    for arguments in (("2MB", "--jobs", "J1"), ("2MB", "--jobs", "J5")):
        assert bench(*call, *arguments).returncode == 0
    assert {"J1", "J5"} <= set(results(place)["jobs"])
    assert bench(*call, "1MB", "--jobs", "J1").returncode == 0
    assert set(results(place)["jobs"]) - {"J6"} == {"J1"}


def test_outputs_that_differ_are_refused(bench, place):
    """DuckDB reads a table in which a letter has lost its accent."""
    assert bench("--systems", "mutirao", "--size", "3MB", "--jobs", "J1").returncode == 0
    [folder] = (place / "data").glob("3MB-1-*")
    content = (folder / "est.csv").read_bytes()
    (folder / "est.csv.gz").write_bytes(gzip.compress(content.replace("Ã".encode("latin-1"), b"A")))
    done = bench("--systems", "mutirao,duckdb", "--size", "3MB", "--jobs", "J4")
    assert done.returncode == 1 and "J4: the systems do not agree" in done.stderr


@pytest.mark.parametrize("arguments, says", [
    (["--jobs", "J9"], "there is no J9"), (["--systems", "mutirao,excel"], "there is no excel"),
])
def test_refuses_what_it_does_not_know(bench, arguments, says):
    done = bench(*arguments)
    assert done.returncode == 2 and says in done.stderr


@pytest.mark.skipif(importlib.util.find_spec("pyspark") is not None, reason="Spark is installed")
def test_says_how_to_install_what_is_missing(bench):
    done = bench("--systems", "mutirao,spark")
    assert done.returncode == 1 and "pip install -r bench/requirements-spark.txt" in done.stderr


def test_table_has_a_line_for_each_job_and_system():
    def took(wall):
        return {"median_wall": wall, "median_cpu": 2 * wall, "peak_rss_mib": 100.4, "output_bytes": 53_200_000, "runs": [1]}

    data = {"wanted": {"size": "1GB", "seed": 1}, "establishments": {"bytes": 10**9, "rows": 4_000_000}}
    result = {"machine": {"cpu": "a computer", "cpus": 2}, "jobs": {
        "J1": {"data": data, "versions": {"polars": "2.1.0"}, "systems": {"mutirao": took(0.5), "polars": took(2)}}}}
    lines = table.table(result).splitlines()
    assert lines[-2] == "| J1: filter, 10 of 30 columns | **Mutirão** | **0.50 s** | **1.00 s** | **100 MiB** | **53.2 MB** | **1.0×** |"
    assert lines[-1] == "|  | Polars 2.1.0, UTF-8 copy | 2.00 s | 4.00 s | 100 MiB | 53.2 MB | 4.0× |"
    assert "1.00 GB of generated establishments (4,000,000 rows)" in lines[0]
