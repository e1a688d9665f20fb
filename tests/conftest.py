"""Fixtures of every Python test: the program under test and a project folder to run it in.

MUTIRAO_BIN names the program (ctest sets it). By hand: MUTIRAO_BIN=../build/dev/bin/mutirao ../.venv/bin/python -m pytest main_job
"""

import os
from pathlib import Path

import pytest

from harness.project import Project

ROOT = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items):
    """The presets asan and tsan say what watches the program: MUTIRAO_SANITIZER."""
    sanitizer = os.environ.get("MUTIRAO_SANITIZER")
    for item in items if sanitizer else ():
        if item.get_closest_marker("plain_build"):
            item.add_marker(pytest.mark.skip(reason=f"{sanitizer} sanitizer: see the marker plain_build"))


@pytest.fixture(scope="session")
def root():
    """The source tree."""
    return ROOT


@pytest.fixture(scope="session")
def binary():
    """The program under test."""
    path = Path(os.environ.get("MUTIRAO_BIN", ROOT / "build" / "dev" / "bin" / "mutirao")).resolve()
    if not path.is_file():
        pytest.exit(f"no program at {path}: build it (ninja -C build/dev mutirao_program) or set MUTIRAO_BIN", returncode=4)
    return path


@pytest.fixture
def project(tmp_path, binary):
    """An empty project folder; write jobs and data into it, then run."""
    return Project(tmp_path, binary)


@pytest.fixture
def new_project(tmp_path_factory, binary):
    """A factory of project folders, for tests that need several."""
    return lambda name="project": Project(tmp_path_factory.mktemp(name), binary)


@pytest.fixture(scope="session")
def dump(root):
    """The small real dump: twelve ZIPs as published."""
    return root / "examples" / "active_companies" / "data"
