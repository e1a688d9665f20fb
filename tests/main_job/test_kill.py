"""A run that dies at any moment leaves the old dataset or the new one, and the next run clears up after it."""

import os
import random
import signal
import time

import pytest

from harness.project import Project

OLD, NEW = 300, 500
KILLED = 137


def write_input(project, count):
    lines = (f'"{i:08d}";"{"AB"[i % 2]}";"{count}"\n' for i in range(count))
    project.write("in.csv", "".join(lines))


JOB = {"ops": {"load": {
    "frames": {"rows": {"read": {"csv": "in.csv", "delimiter": ";", "columns": ["id", "part", "total"]}}},
    "write": [{"frame": "rows", "parquet": "out/rows", "mode": "overwrite", "partition_by": ["part"]}]}}}


def total(project):
    """Which dataset stands there, after proving that it is whole."""
    table = project.read("out/rows")
    [count] = {int(v) for v in table["total"].to_pylist()}
    assert sorted(table["id"].to_pylist()) == [f"{i:08d}" for i in range(count)]
    return count


def leftovers(project):
    return [name for name in os.listdir(project.path("out")) if name.startswith(".") or "staging" in name]


def crash_points(folder, binary):
    """The points that an overwriting run passes, in order."""
    project = Project(folder, binary)
    job = project.job(JOB)
    write_input(project, OLD)
    project.run_ok("run", job)
    listed = project.path("points.txt")
    project.run_ok("run", job, env={"MUTIRAO_LIST_FAIL_POINTS": str(listed)})
    return listed.read_text().split()


@pytest.fixture(scope="module")
def points(tmp_path_factory, binary):
    return crash_points(tmp_path_factory.mktemp("points"), binary)


def test_an_overwrite_passes_the_points_of_publishing(points):
    assert {"publish.staged", "publish.synced", "publish.swapped"} <= set(points)


def test_death_at_every_point_leaves_old_or_new_and_the_next_run_clears_up(points, new_project):
    seen = set()
    for point in points:
        project = new_project(point.replace(".", "-"))
        job = project.job(JOB)
        write_input(project, OLD)
        project.run_ok("run", job)
        write_input(project, NEW)
        outcome = project.run("run", job, env={"MUTIRAO_FAIL_AT": point})
        assert outcome.code == KILLED, f"{point}: {outcome}"
        seen.add(total(project))
        write_input(project, NEW + 1)
        project.run_ok("run", job)
        assert total(project) == NEW + 1 and leftovers(project) == [], f"{point}: {leftovers(project)}"
    assert seen == {OLD, NEW}, "no point lies before the exchange, or none after it"


def test_death_at_every_point_of_a_first_run_leaves_nothing_or_all(points, new_project):
    for point in points:
        project = new_project(point.replace(".", "-"))
        job = project.job(JOB)
        write_input(project, NEW)
        outcome = project.run("run", job, env={"MUTIRAO_FAIL_AT": point})
        if outcome.code == 0:
            continue  # a point that only an overwrite passes
        assert outcome.code == KILLED, f"{point}: {outcome}"
        if project.path("out/rows").exists():
            assert total(project) == NEW
        project.run_ok("run", job)
        assert total(project) == NEW and leftovers(project) == []


def test_kill_at_random_moments(project):
    chance = random.Random(20251213)
    job = project.job(JOB)
    write_input(project, OLD)
    began = time.monotonic()
    project.run_ok("run", job)
    usual = time.monotonic() - began
    standing = OLD
    for attempt in range(20):
        offered = NEW + attempt
        write_input(project, offered)
        process = project.start("run", job)
        time.sleep(chance.uniform(0, usual * 1.1))
        process.kill()
        process.communicate()
        found = total(project)
        assert found in (standing, offered)
        standing = found
    write_input(project, OLD)
    project.run_ok("run", job)
    assert total(project) == OLD and leftovers(project) == []


def start_slow_run(project):
    """A run over enough rows that a signal finds it at work; gives the process once it has begun to write."""
    block = "".join(f'"{i:08d}";"{"AB"[i % 2]}";"{"x" * 60}"\n' for i in range(20_000)).encode()
    with open(project.path("in.csv"), "wb") as file:
        for _ in range(150):
            file.write(block)
    process = project.start("run", project.job(JOB))
    deadline = time.monotonic() + 60
    while not leftovers_or_none(project):
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.002)
    return process


def leftovers_or_none(project):
    return leftovers(project) if project.path("out").is_dir() else []


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_run_and_leaves_nothing(project, number, code):
    process = start_slow_run(project)
    sent = time.monotonic()
    process.send_signal(number)
    _, talk = process.communicate(timeout=20)
    assert process.returncode == code, talk.decode()
    assert time.monotonic() - sent < 10  # the engine's own tests hold it to 100 ms of work
    assert not project.path("out/rows").exists() and leftovers(project) == []


def test_a_stopped_overwrite_keeps_the_old_dataset(project):
    write_input(project, OLD)
    project.run_ok("run", project.job(JOB))
    process = start_slow_run(project)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert total(project) == OLD and leftovers(project) == []


def test_two_runs_at_once_leave_one_whole_dataset(project):
    job = project.job(JOB)
    write_input(project, NEW)
    processes = [project.start("run", job) for _ in range(4)]
    codes = [p.wait(60) for p in processes]
    talk = [p.communicate() for p in processes]
    assert 0 in codes, talk
    assert total(project) == NEW and leftovers(project) == []
