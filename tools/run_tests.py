"""Run every test of a preset that is built, unless nothing changed since all of them passed.

    run_tests.py PRESET [--fresh] [-j N]

Stands in the root of the tree. "Nothing" is meant to the byte: sources (as git lists them, untracked ones too), what was
built, the packages of .venv and of the system, and the variables of the environment that tests look at. With CI=true,
--fresh or a tree without git everything runs. The last line says how many passed and failed; the exit code is ctest's.
"""

import argparse
import datetime
import hashlib
import json
import os
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

SYSTEM_PACKAGES = Path("/var/lib/dpkg/status")
VENV_STAMP = Path(".venv/.setup-stamp")
# Not build.ninja: a second configure writes it otherwise than the first one, and what it builds is looked at.
BUILT = ("bin/**/*", "lib/**/*", "*.a", "*.so*", "**/CTestTestfile.cmake")
VARIABLES = ("MUTIRAO_", "RC_", "CTEST_", "ARROW_", "ASAN_", "UBSAN_", "TSAN_", "PYTEST_", "LC_", "LANG", "TZ", "TMPDIR")


def sources():
    """The files of the tree, or None where git does not know them."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True)
    return None if listed.returncode != 0 else [Path(os.fsdecode(name)) for name in listed.stdout.split(b"\0") if name]


def inputs_of(build):
    listed = sources()
    if listed is None:
        return None
    built = {path for pattern in BUILT for path in build.glob(pattern) if path.is_file()}
    return sorted({*listed, *built, VENV_STAMP, SYSTEM_PACKAGES})


def fingerprint(build):
    """One text for all that the tests see; None when it cannot be told."""
    paths = inputs_of(build)
    if paths is None:
        return None
    whole = hashlib.sha256()
    for name in sorted(name for name in os.environ if name.startswith(VARIABLES)):
        whole.update(f"{name}={os.environ[name]}\0".encode())
    for path in paths:
        whole.update(bytes(path) + b"\0" + content_hash(path))
    return whole.hexdigest()


def content_hash(path):
    if path.is_symlink():
        return b"link to " + os.fsencode(os.readlink(path))
    if not path.is_file():
        return b"none"  # deleted, but still in git's index; or a folder, such as a submodule
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest() + (b"x" if os.access(path, os.X_OK) else b"-")


class GreenRun:
    """What the last run left, when all tests passed in it."""

    def __init__(self, build):
        self.path = build / "all-passed.json"

    def read(self):
        try:
            return json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}

    def forget(self):
        self.path.unlink(missing_ok=True)

    def write(self, of, passed):
        now = datetime.datetime.now(datetime.timezone.utc)
        self.path.write_text(json.dumps({"inputs": of, "passed": passed, "at": f"{now:%Y-%m-%d %H:%M} UTC"}))


def counts(junit):
    """How many ctest entries passed, failed and were skipped by themselves."""
    suite = xml.etree.ElementTree.parse(junit).getroot()
    total, failed, disabled, skipped = (int(suite.get(name, 0)) for name in ("tests", "failures", "disabled", "skipped"))
    return total - failed - disabled - skipped, failed, disabled + skipped


def run(preset, build, jobs):
    """Run ctest; gives its exit code and the counts."""
    junit = build / "tests.junit.xml"
    junit.unlink(missing_ok=True)
    call = ["ctest", "--preset", preset, "-j", str(jobs), "--output-on-failure", "--no-tests=error",
            "--output-junit", str(junit.resolve())]
    code = subprocess.run(call).returncode
    return code, counts(junit) if junit.exists() else (0, 0, 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("preset")
    parser.add_argument("--fresh", action="store_true", help="run everything although nothing changed")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    build = Path("build") / options.preset
    green = GreenRun(build)
    before = fingerprint(build)
    last = green.read()
    if before and last.get("inputs") == before and not options.fresh and os.environ.get("CI") != "true":
        print(f"{last['passed']} tests not run: nothing changed since all of them passed ({last['at']}); "
              "make test FRESH=1 runs them")
        return 0
    green.forget()
    code, (passed, failed, skipped) = run(options.preset, build, options.jobs)
    if skipped:
        print(f"{skipped} skipped")
    if code == 0 and not skipped and before and fingerprint(build) == before:
        green.write(before, passed)
    print(f"{passed} passed, {failed} failed", flush=True)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
