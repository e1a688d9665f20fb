"""Every kind of fault in a job file: the exact text that tells it. MUTIRAO_UPDATE=1 rewrites the expected texts."""

import os
import shutil
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"
WRONG_INPUT = 3


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*.yaml")))
def test_says_what_is_wrong(project, case):
    shutil.copytree(CASES, project.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.txt"))
    outcome = project.run("check", f"{case}.yaml")
    assert outcome.code == WRONG_INPUT and outcome.out == "", outcome
    expected = CASES / f"{case}.txt"
    if os.environ.get("MUTIRAO_UPDATE"):
        expected.write_text(outcome.err)
    assert outcome.err == expected.read_text()


def test_run_refuses_the_same_before_anything_starts(project):
    shutil.copytree(CASES, project.folder, dirs_exist_ok=True)
    outcome = project.run("run", "unknown_column.yaml")
    assert outcome.code == WRONG_INPUT and outcome.err == (CASES / "unknown_column.txt").read_text()
    assert not project.path("out").exists()
