"""A module whose ops are bad guests."""

import os
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def module(tmp_path_factory, root):
    """The module, built as a user would."""
    built = tmp_path_factory.mktemp("module") / "libcrash.so"
    subprocess.run([os.environ.get("CXX", "g++"), "-std=c++20", "-O0", "-fPIC", "-shared", f"-I{root}/include",
                    Path(__file__).with_name("crashing_module.cc"), "-o", built], check=True)
    return built
