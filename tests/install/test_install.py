"""What `cmake --install` puts down is enough for a stranger's project, and the installed program runs from there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def call(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def build_tree(binary, root):
    return Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev"))


@pytest.fixture(scope="module")
def prefix(build_tree, tmp_path_factory):
    prefix = tmp_path_factory.mktemp("installed")
    call("cmake", "--install", build_tree, "--prefix", prefix)
    return prefix


def test_a_strangers_project_builds_and_runs(prefix, build_tree, root, tmp_path):
    shutil.copytree(root / "tests" / "install" / "project", tmp_path / "project")
    build = tmp_path / "build"
    call("cmake", "-S", tmp_path / "project", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
         f"-Dmutirao_INCLUDE={prefix}/include", f"-DCMAKE_CXX_COMPILER={cached(build_tree, 'CMAKE_CXX_COMPILER')}", f"-DCMAKE_CXX_FLAGS={sanitizer_flags(build_tree)}")
    call("cmake", "--build", build, "-j", "2")
    assert call(build / "stranger") == "1 SP 42\n"

    # Its module runs in the installed program.
    (tmp_path / "job.yaml").write_text("name: job\nops: {go: {module: build/libstrange.so#greet, config: {name: you}}}\n")
    done = subprocess.run([prefix / "bin" / "mutirao", "run", "job.yaml", "--json"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and "hello you" in done.stderr, done


def cached(build, name):
    """What a variable was when the library was built."""
    lines = (build / "CMakeCache.txt").read_text().splitlines()
    return next(line.split("=", 1)[1] for line in lines if line.startswith(f"{name}:"))


def sanitizer_flags(build):
    """A library built with a sanitizer wants a program built with it, by the same compiler."""
    return " ".join(flag for flag in cached(build, "CMAKE_CXX_FLAGS").split() if "sanitize" in flag)


def test_the_installed_program_runs(prefix, tmp_path):
    clean = {"PATH": "/usr/bin:/bin"}
    assert call(prefix / "bin" / "mutirao", "version", "--json", env=clean, cwd=tmp_path).strip()


def test_nothing_of_the_sources_is_installed(prefix):
    headers = {str(p.relative_to(prefix / "include")) for p in (prefix / "include").rglob("*") if p.is_file()}
    assert headers and all(h.startswith("mutirao/") and h.endswith(".h") for h in headers)
    assert not any((prefix / "include" / "mutirao" / room).exists() for room in ("frame", "engine", "base"))
