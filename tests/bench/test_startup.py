"""The measure of how long the program makes one wait runs and tells of each command. What it says is for a quiet machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def startup(root, binary, tmp_path):
    datagen = Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev")) / "bin" / "mutirao-datagen"

    def run(*arguments):
        call = [sys.executable, root / "bench" / "startup.py", "--program", binary, "--datagen", datagen, "--data", tmp_path,
                "--size", "1MB", "--runs", 2, *arguments]
        return subprocess.run(list(map(str, call)), capture_output=True, text=True)

    return run


def test_tells_of_each_command(startup):
    done = startup()
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: slower than the project wants, as on a busy machine
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == ["command", "version", "check", "preview"]
    assert (done.returncode == 1) == ("TOO SLOW" in done.stdout)


def test_a_program_that_fails_is_told(startup):
    done = startup("--program", "/bin/false")
    assert done.returncode not in (0, None) and "/bin/false version ended with 1" in done.stderr
