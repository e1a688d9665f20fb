"""The memory budget of a run: the same rows with little memory as with plenty, within what was allowed, and nothing left."""

import contextlib
import json
import os
import signal
import subprocess
import time

import duckdb
import pytest

ROWS = 2_000_000
MIB = 1 << 20
READ = {"csv": "in.csv", "delimiter": ";", "types": {"id": "int64", "number": "int64"}}
# Each must set far more than the budget aside.
FRAMES = {
    "sorted": [{"sort": ["text", "-id"]}],
    "groups": [{"aggregate": {"by": ["text"], "with": {"n": "count()", "s": "sum(number)", "m": "max(filler)"}}}],
    "collected": [{"aggregate": {"by": ["text"], "with": {"d": "count_distinct(filler)", "m": "median(number)"}}}],
    "distinct": [{"distinct": ["text", "number"]}],
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """About 200 MB: texts that two rows have, a number, a long filler."""
    path = tmp_path_factory.mktemp("memory") / "in.csv"
    duckdb.sql(f"""
        copy (select range as id, 'key ' || hash(range % {ROWS // 2})::varchar as text, range % 1000 as number,
                     repeat(chr(97 + (range % 26)::int), 40) || range as filler
              from range({ROWS}) order by hash(range)) to '{path}' (delimiter ';', header)""")
    return path


def job_for(project, source, frame, **settings):
    if not project.path("in.csv").exists():
        project.path("in.csv").symlink_to(source)
    return project.job({**settings, "ops": {"load": {
        "frames": {"rows": {"read": READ, "steps": FRAMES[frame]}},
        "write": [{"frame": "rows", "parquet": "out.parquet", "mode": "overwrite"}]}}})


def with_worker(pid):
    """A process and its children: the run is done by a child of the program that was started."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return [pid, *map(int, children.read().split())]
    except OSError:
        return [pid]


def peak_of(process):
    """The most resident memory of the process that does the run, looked at from outside until it ends."""
    peak = 0
    while process.poll() is None:
        for pid in with_worker(process.pid):
            try:
                with open(f"/proc/{pid}/status") as status:
                    for line in status:
                        if line.startswith("VmHWM"):
                            peak = max(peak, int(line.split()[1]) * 1024)
            except OSError:
                pass
        time.sleep(0.005)
    return peak


def open_files(pid):
    """What the descriptors of a process lead to; those that close meanwhile are left out."""
    links = []
    try:
        for descriptor in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):
                links.append(os.readlink(descriptor.path))
    except OSError:
        pass  # it ended
    return links


def start(project, *arguments, **options):
    return subprocess.Popen([project.binary, "run", *arguments], cwd=project.folder, env=project.environment(),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def hash_of(project):
    return duckdb.sql(f"select count(*), bit_xor(hash(t)) from '{project.path('out.parquet')}' t").fetchall()[0]


@pytest.mark.parametrize("frame", FRAMES)
def test_stays_within_the_budget_with_the_same_rows(project, source, frame):
    job = job_for(project, source, frame)
    project.run_ok("run", job, "--memory", "4GiB")
    want = hash_of(project)
    spill = project.path("spill")
    process = start(project, job, "--memory", "64MiB", "--spill-dir", "spill", "--json")
    peak = peak_of(process)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert hash_of(project) == want
    assert peak <= (64 + 256) * MIB
    assert not os.listdir(spill)
    memory = json.loads(out)["ops"]["load"]["memory"]
    assert memory["budget_bytes"] == 64 * MIB
    assert memory["spilled_bytes"] > 0
    if frame == "sorted":
        table = duckdb.sql(f"select text, id from '{project.path('out.parquet')}'").fetchall()
        assert all(a[0] < b[0] or (a[0] == b[0] and a[1] > b[1]) for a, b in zip(table, table[1:]))


def test_takes_budget_and_folder_from_the_job(project, source):
    outcome = project.run_ok("run", job_for(project, source, "distinct", memory="64 MiB", spill_dir="set/aside"), "--json")
    assert outcome.json()["ops"]["load"]["memory"]["budget_bytes"] == 64 * MIB
    assert outcome.json()["ops"]["load"]["memory"]["spilled_bytes"] > 0
    assert os.listdir(project.path("set/aside")) == []


def test_leaves_nothing_when_it_is_killed_or_stopped(project, source):
    job = job_for(project, source, "sorted")
    spill = project.path("spill")
    for number in (signal.SIGKILL, signal.SIGTERM):
        process = start(project, job, "--memory", "32MiB", "--spill-dir", "spill")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if any(str(spill) in link for pid in with_worker(process.pid) for link in open_files(pid)):
                break
            time.sleep(0.002)
        assert process.poll() is None, "it ended before anything was set aside"
        process.send_signal(number)
        process.communicate()
        assert os.listdir(spill) == []
    assert not project.path("out.parquet").exists()
    project.run_ok("run", job, "--memory", "64MiB", "--spill-dir", "spill")
    assert os.listdir(spill) == []
    assert [name for name in os.listdir(project.folder) if "staging" in name] == []


def test_a_full_disk_leaves_the_old_output(project, source):
    job = job_for(project, source, "sorted")
    project.run_ok("run", job)
    before = hash_of(project)
    spill = project.path("small")
    spill.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(spill)], capture_output=True).returncode != 0:
        pytest.skip("no right to mount a small disk")
    try:
        outcome = project.run("run", job, "--memory", "32MiB", "--spill-dir", "small")
    finally:
        subprocess.run(["umount", str(spill)], check=True)
    assert outcome.code == 4, outcome
    assert "no space left on device" in outcome.err and "/small" in outcome.err
    assert "--spill-dir" in outcome.err
    assert hash_of(project) == before
    assert [name for name in os.listdir(project.folder) if "staging" in name] == []


@pytest.mark.parametrize("size, told", [("2 gigs", "a size"), ("0GiB", "a size"), ("1MiB", "too little"), ("-1GiB", "a size")])
def test_refuses_bad_sizes(project, source, size, told):
    outcome = project.run("run", job_for(project, source, "sorted"), f"--memory={size}")
    assert outcome.code == 3 and told in outcome.err and size in outcome.err, outcome
    outcome = project.run("check", job_for(project, source, "sorted", memory=size))
    assert outcome.code == 3 and told in outcome.err and "jobs/job.yaml:2" in outcome.err, outcome


def test_refuses_a_spill_folder_that_is_none(project, source):
    project.write("file", "x")
    outcome = project.run("run", job_for(project, source, "sorted"), "--spill-dir", "file")
    assert outcome.code == 3 and "spill folder" in outcome.err, outcome
