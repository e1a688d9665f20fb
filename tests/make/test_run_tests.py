"""`make test` runs everything again exactly when something that a test could see has changed."""

import os
import subprocess
import sys

import pytest

CMAKE = """
cmake_minimum_required(VERSION 3.25)
project(tree LANGUAGES NONE)
enable_testing()
add_test(NAME one COMMAND sh -c "echo x >> ${CMAKE_SOURCE_DIR}/build/ran; test ! -e ${CMAKE_SOURCE_DIR}/build/broken")
add_test(NAME two COMMAND true)
"""
PRESETS = """{"version": 6,
 "configurePresets": [{"name": "dev", "generator": "Ninja", "binaryDir": "${sourceDir}/build/dev"}],
 "testPresets": [{"name": "dev", "configurePreset": "dev"}]}
"""


class Tree:
    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        for name, content in {"CMakeLists.txt": CMAKE, "CMakePresets.json": PRESETS, ".gitignore": "build/\n.venv/\n",
                              "a.cc": "int a;\n", ".venv/.setup-stamp": "1", "build/dev/bin/program": "1"}.items():
            self.write(name, content)
        self.call("git", "init", "-q")
        self.call("git", "add", ".")
        self.call("cmake", "--preset", "dev")

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def call(self, *argv):
        subprocess.run(argv, cwd=self.folder, check=True, capture_output=True)

    def test(self, *arguments, **env):
        """Run; gives exit code, what was said, and whether the tests were run."""
        before = self.runs()
        clean = {k: v for k, v in os.environ.items() if k not in ("CI", "MUTIRAO_SEED")}
        done = subprocess.run([sys.executable, self.program, "dev", *arguments], cwd=self.folder, capture_output=True,
                              text=True, env={**clean, **env})
        return done.returncode, done.stdout, self.runs() > before

    def runs(self):
        try:
            return len((self.folder / "build" / "ran").read_text().splitlines())
        except FileNotFoundError:
            return 0


@pytest.fixture
def tree(tmp_path, root):
    return Tree(tmp_path, root / "tools" / "run_tests.py")


def test_runs_once_and_says_what_it_did(tree):
    code, said, ran = tree.test()
    assert code == 0 and ran and said.splitlines()[-1] == "2 passed, 0 failed"
    code, said, ran = tree.test()
    assert code == 0 and not ran
    [line] = said.splitlines()
    assert line.startswith("2 tests not run: nothing changed since all of them passed (20") and "FRESH=1" in line


@pytest.mark.parametrize("name", ["a.cc", "new.cc", "build/dev/bin/program", ".venv/.setup-stamp"])
def test_runs_again_when_a_file_changed_and_not_when_it_changed_back(tree, name):
    tree.test()
    path = tree.folder / name
    before = path.read_text() if path.exists() else None
    tree.write(name, "changed")
    assert tree.test()[2]
    assert not tree.test()[2]
    path.unlink() if before is None else tree.write(name, before)
    assert tree.test()[2]  # only the last run is remembered


def test_a_deleted_source_counts(tree):
    tree.test()
    (tree.folder / "a.cc").unlink()
    assert tree.test()[2]


# build.ninja: what a second configure writes differs from the first.
@pytest.mark.parametrize("name", ["build/notes", "build/dev/build.ninja"])
def test_a_file_that_no_test_sees_does_not_count(tree, name):
    tree.test()
    tree.write(name, "x")
    assert not tree.test()[2]


def test_other_environment_counts(tree):
    tree.test()
    assert tree.test(MUTIRAO_SEED="7")[2]
    assert not tree.test(MUTIRAO_SEED="7")[2]


def test_runs_on_request_and_always_in_ci(tree):
    tree.test()
    assert tree.test("--fresh")[2]
    assert tree.test(CI="true")[2]


def test_a_failure_is_told_and_never_skipped(tree):
    tree.test()
    tree.write("build/broken", "")
    for _ in range(2):
        code, said, ran = tree.test("--fresh")
        assert code != 0 and ran and said.splitlines()[-1] == "1 passed, 1 failed"
    # Nothing that is looked at has changed since, but the last run was not green.
    (tree.folder / "build" / "broken").unlink()
    code, said, ran = tree.test()
    assert code == 0 and ran and said.splitlines()[-1] == "2 passed, 0 failed"


def test_no_tests_are_a_failure(tree):
    tree.write("CMakeLists.txt", "cmake_minimum_required(VERSION 3.25)\nproject(tree LANGUAGES NONE)\nenable_testing()\n")
    tree.call("cmake", "--preset", "dev")
    code, said, _ = tree.test()
    assert code != 0 and said.splitlines()[-1] == "0 passed, 0 failed"


def test_a_tree_without_git_always_runs(tree):
    (tree.folder / ".git").rename(tree.folder / ".no-git")
    tree.write(".gitignore", "")
    for _ in range(2):
        assert tree.test(GIT_CEILING_DIRECTORIES=str(tree.folder.parent))[2]
