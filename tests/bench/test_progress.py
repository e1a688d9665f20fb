"""The measure of the time that a run says is left: what it reads off the terminal, and that it runs. Its figures are for a
quiet machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import progress  # noqa: E402

DRAWN = ("\r\x1b[Kload: 1,234 rows, 450.0 MB of 1.00 GB (45 %), 5.1 M rows/s, 340 ms left, 100.0 MB memory"
         "\r\x1b[Kload: 2,000 rows, 500.0 MB of 1.00 GB (50 %), 900 rows/s, 1 min 05 s left, 100.0 MB memory")


def test_reads_share_and_time_left_of_each_line():
    assert progress.LINE.findall(DRAWN) == [("45", "340 ms"), ("50", "1 min 05 s")]


@pytest.mark.parametrize("text, expected", [("340 ms", 0.34), ("12.5 s", 12.5), ("1 min 05 s", 65), ("2 h 03 min", 7380)])
def test_reads_durations(text, expected):
    assert progress.seconds(text) == pytest.approx(expected)


def test_errors_count_after_the_first_tenth():
    seen = [(0.5, 0.01, 99.0), (2.0, 0.25, 6.0), (5.0, 0.4, 7.5), (9.0, 0.9, 1.0)]
    assert progress.worst_error(seen, 10.0) == pytest.approx(0.25)
    assert progress.worst_error(seen[:1], 10.0) is None


def test_tells_of_a_job(root, binary, tmp_path):
    datagen = Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev")) / "bin" / "mutirao-datagen"
    call = [sys.executable, root / "bench" / "progress.py", "--program", binary, "--datagen", datagen, "--data", tmp_path,
            "--work", tmp_path / "work", "--size", "1MB", "--rounds", 2, "--watch", 1, "--lines", "--jobs", "J1,J5"]
    done = subprocess.run(list(map(str, call)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
    assert [line[:3] for line in said] == ["J1:", "J1:", "J5:", "J5:"]
    assert "1 runs" in said[0] and "2 pairs: CPU" in said[1] and "with --profile" in said[3]
