"""The measure of how cost grows with the input runs and tells of each size. What it says is for a quiet machine."""

import os
import subprocess
import sys
from pathlib import Path


def test_tells_of_each_size_and_of_both(root, binary, tmp_path):
    datagen = Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev")) / "bin" / "mutirao-datagen"
    program = tmp_path / "bin" / "mutirao"
    program.parent.mkdir()
    program.symlink_to(binary)
    (program.parent / "mutirao-datagen").symlink_to(datagen)
    for state in ("cached", "on-disk"):
        call = [sys.executable, root / "bench" / "linear.py", "--program", program, "--data", tmp_path, "--jobs", "J1,J2",
                "--sizes", "1MB,2MB", "--rounds", 1, "--input", state, "--most-memory", 64 << 20]
        done = subprocess.run(list(map(str, call)), capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        lines = done.stdout.splitlines()
        assert [line.split(":")[0].split() for line in lines] == [
            ["J1", "1MB"], ["J1", "2MB"], ["J1"], ["J2", "1MB"], ["J2", "2MB"], ["J2"]]
        assert f"input {state}, 1 rounds" in lines[-1]
