"""The wheel, made from this build, in an environment of its own: the command, the library and the driver work there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = next((ROOT / ".venv" / "lib").glob("python3*/site-packages"))


def call(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(binary, tmp_path_factory):
    build = Path(os.environ.get("MUTIRAO_BUILD_DIR", ROOT / "build" / "dev"))
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-build-isolation", "--no-deps",
         "--wheel-dir", folder / "dist", f"--config-settings=cmake.define.MUTIRAO_PREBUILT={build}",
         f"--config-settings=build-dir={folder / 'build'}", ROOT)
    file, = (folder / "dist").glob("mutirao-*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The interpreter of a new environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("venv")
    call(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    call(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--no-index", wheel)
    site = next((folder / "lib").glob("python3*/site-packages"))
    # What it depends on is linked from the environment of the tests, so that nothing is fetched.
    for entry in SITE.iterdir():
        if not entry.name.startswith(("mutirao", "__pycache__", "pip")):
            (site / entry.name).symlink_to(entry)
    return python


@pytest.fixture
def clean():
    """An environment that knows nothing of the source tree."""
    return {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}


def test_the_command_runs_a_job(installed, clean, tmp_path):
    command = installed.parent / "mutirao"
    assert "0." in call(command, "version", env=clean)
    (tmp_path / "in.csv").write_text("a,b\n1,x\n2,y\n")
    (tmp_path / "job.yaml").write_text("""
name: copy
ops:
  load:
    frames: {rows: {read: {csv: in.csv, types: {a: int64}}}}
    write: [{frame: rows, parquet: out}]
""")
    call(command, "run", "job.yaml", env=clean, cwd=tmp_path)
    program = "import pyarrow.dataset as d; print(d.dataset('out').count_rows())"
    assert call(installed, "-c", program, env=clean, cwd=tmp_path).strip() == "2"


def test_the_library_loads_beside_pyarrow(installed, clean):
    program = "import pyarrow, json; from mutirao import Library; print(json.dumps(Library().build()), pyarrow.__version__)"
    text, arrow = call(installed, "-c", program, env=clean).rsplit(" ", 1)
    assert json.loads(text)["arrow"].split(".")[0] == arrow.split(".")[0]


def test_nothing_of_the_build_tree_is_needed(installed, clean):
    library = next(installed.parent.parent.rglob("libmutirao.so*"))
    for line in call("ldd", library, env=clean).splitlines():
        assert "not found" not in line
        if "=>" in line and str(ROOT) in line:
            assert "/pyarrow/" in line, line


def test_libraries_that_are_loaded_when_needed_are_in_it(installed, clean, tmp_path):
    folder = next(installed.parent.parent.rglob("libmutirao.so*")).parent
    assert {"libcurl.so.4", "libpq.so.5"} <= {file.name for file in folder.iterdir()}
    env = {**clean, "MUTIRAO_STORE": "postgresql://nobody@127.0.0.1:1/none"}
    done = subprocess.run([installed.parent / "mutirao", "runs"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "127.0.0.1" in done.stderr and "loaded" not in done.stderr, done.stderr


def test_the_driver_starts_there(installed, clean):
    read_end, write_end = os.pipe()
    answer, out = os.pipe()
    process = subprocess.Popen([installed, "-m", "mutirao.dask", "--in", str(read_end), "--out", str(out)], env=clean,
                               pass_fds=(read_end, out), stderr=subprocess.PIPE)
    for descriptor in (read_end, write_end, out):
        os.close(descriptor)
    with os.fdopen(answer) as lines:
        hello, closed = [json.loads(line) for line in lines]
    assert process.wait(60) == 0, process.stderr.read()
    process.stderr.close()
    assert hello["type"] == "hello" and hello["version"] != "source" and closed == {"type": "closed"}
