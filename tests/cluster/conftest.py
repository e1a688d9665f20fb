"""Drivers that end with their test."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from native_side import ROOT, Driver  # noqa: E402


@pytest.fixture(scope="session")
def build_tree(binary):
    return Path(os.environ.get("MUTIRAO_BUILD_DIR", ROOT / "build" / "dev"))


@pytest.fixture
def start_driver(build_tree):
    drivers = []

    def start(**env):
        drivers.append(Driver(build_tree, env))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.close()
