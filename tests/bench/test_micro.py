"""The programs of bench/micro run: once through each benchmark, figures thrown away."""

import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

SOURCES = sorted((Path(__file__).resolve().parents[2] / "bench" / "micro").glob("*_bench.cc"))
GOOGLE = [source for source in SOURCES if "benchmark/benchmark.h" in source.read_text()]


def program(root, source):
    name = "mutirao-" + source.stem.replace("_", "-")
    return Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev")) / "bin" / name


@pytest.mark.parametrize("source", GOOGLE, ids=lambda source: source.stem)
def test_each_benchmark_runs(root, source):
    done = subprocess.run([program(root, source), "--benchmark_min_time=0.001", "--benchmark_format=csv"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert len(lines) > 3 and "ERROR" not in done.stdout


def test_parquet_writers_are_compared(root, tmp_path):
    path = tmp_path / "x.parquet"
    pyarrow.parquet.write_table(pa.table({"text": [f"row {i}" for i in range(1000)], "n": range(1000)}), path)
    [source] = [source for source in SOURCES if source not in GOOGLE]
    done = subprocess.run([program(root, source), path, "1"], capture_output=True, text=True)
    assert done.returncode == 0 and "ours" in done.stdout and "arrow" in done.stdout, done.stderr
