"""libmutirao through ctypes: what a worker of a cluster does with a task document."""

import json
import os
import sys
import threading
import time
from pathlib import Path

import pyarrow.parquet
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

from mutirao import Library, TaskError  # noqa: E402

# A sanitized library needs a Python that is.
pytestmark = pytest.mark.plain_build


@pytest.fixture(scope="module")
def library(binary):
    build = Path(os.environ.get("MUTIRAO_BUILD_DIR", ROOT / "build" / "dev"))
    return Library(build / "lib" / "libmutirao.so")


@pytest.fixture
def document(project):
    """The document of a task that filters 300,000 rows."""
    project.write("data/in.csv", "n,t\n" + "".join(f"{i},{'x' * (i % 50)}\n" for i in range(300_000)))
    job = project.job({"ops": {"load": {
        "frames": {"rows": {"read": {"csv": "data/in.csv", "types": {"n": "int64"}},
                            "steps": [{"filter": "n % 3 = 0"}]}},
        "write": [{"frame": "rows", "parquet": "out/rows"}]}}})
    project.run_ok("explain", job, "--write-tasks", "tasks")
    stage, = json.loads(project.path("tasks/stages.json").read_text())
    name, = stage["tasks"]
    return (project.path("tasks") / name).read_text()


def test_runs_beside_an_imported_pyarrow_and_lets_python_run(library, document):
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    task = library.task({"threads": 1, "execution": "abc"})
    began = time.monotonic()
    result = json.loads(task.run(document))
    ended = time.monotonic()
    done.set()
    ticker.join()
    assert task.progress()["rows_read"] in (0, 300_000)  # told ten times a second, so maybe never
    task.close()
    output, = result["outputs"]
    part, = output["parts"]
    assert part["rows"] == 100_000 and "xabc" in part["path"]
    assert pyarrow.parquet.read_metadata(Path(output["staging"]) / part["path"]).num_rows == 100_000
    inside = sum(began < at < ended for at in ticks)
    assert inside >= 2, f"the interpreter's lock was held for {ended - began:.3f} s"


def test_two_executions_of_one_document_write_different_files(library, document):
    paths = set()
    for word in ("one", "two"):
        task = library.task({"execution": word})
        paths.add(json.loads(task.run(document))["outputs"][0]["parts"][0]["path"])
        task.close()
    assert len(paths) == 2


def test_a_cancelled_task_ends_at_once(library, document):
    task = library.task()
    task.cancel()
    with pytest.raises(TaskError) as raised:
        task.run(document)
    assert raised.value.error["code"] == "cancelled"
    task.close()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 7}'])
def test_says_what_is_wrong_with_a_document(library, text):
    task = library.task()
    with pytest.raises(TaskError) as raised:
        task.run(text)
    assert raised.value.error["code"] in ("invalid", "unsupported") and raised.value.error["message"]
    task.close()


def test_says_what_was_built(library, project):
    build = library.build()
    assert build["version"] in project.run_ok("version").out
    assert build["platform"].startswith("linux-") and build["abi"] == 4


def test_a_library_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ImportError, match="libnothing.so"):
        Library(tmp_path / "libnothing.so")
