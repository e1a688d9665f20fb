"""What may happen to a cluster happens here for real, in the middle of work: after each fault the rows are right or the
error says what it was, and nothing is left."""

import os
import re
import signal
import subprocess
import time

import numpy
import pyarrow as pa
import pyarrow.parquet
import pytest

from native_side import processes_of, slow, wait_until
from plans import Cluster
from test_providers import mark, own, reap, scheduler  # noqa: F401

TASKS = 5
LEFT, RIGHT = 3000, 6000  # rows of each task, and of the table that all read


def write_plan(folder, right):
    """A plan that reads a table of TASKS files against another of so many rows."""
    for name, files, rows in (("left", TASKS, LEFT), ("right", 1, right)):
        (folder / name).mkdir()
        for number in range(files):
            numbers = range(number * rows, (number + 1) * rows)
            pa.parquet.write_table(pa.table({f"{name}_n": pa.array(numbers, pa.int64())}), folder / name / f"part-{number}.parquet")
    frames = {
        "right": {"read": {"parquet": f"{folder}/right"}, "steps": []},
        "all": {"read": {"parquet": f"{folder}/left"},
                "steps": [{"join": {"with": "right", "how": "cross"}},
                          {"filter": "regexp_matches(cast(left_n + right_n as string), '7.*3') and left_n * right_n % 10007 = 3"}]}}
    return {"frames": frames, "frame": "all", "folder": str(folder), "task_bytes": 1, "only": "cluster"}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A plan of a few tasks that each compute for about a second, and how many rows it gives."""
    plan = write_plan(tmp_path_factory.mktemp("work"), RIGHT)
    left, right = numpy.arange(TASKS * LEFT), numpy.arange(RIGHT)
    pairs = [(n, m) for n in left for m in right[n * right % 10007 == 3]]
    return plan, sum(re.search("7.*3", str(n + m)) is not None for n, m in pairs)


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """A plan whose tasks tell of themselves, and are cut off, long before they end, however fast the machine is."""
    return write_plan(tmp_path_factory.mktemp("endless"), 30 * RIGHT)


@pytest.fixture(scope="module")
def shared():
    """The cluster that tests share as long as it is of use."""
    clusters = []
    yield clusters
    for cluster in clusters:
        end(cluster)


@pytest.fixture
def cluster(build_tree, shared):
    if not shared:
        shared.append(begin(build_tree))
    return shared[0]


def begin(build_tree, **options):
    cluster = Cluster(build_tree, **options)
    assert "workers" in cluster.started, cluster.started
    return cluster


def end(cluster):
    """Nothing is left: no process (and so no port), no folder of workers."""
    session = cluster.process.pid
    cluster.close()
    wait_until(lambda: not processes_of(session), "nothing of the cluster runs")
    for folder in folders_of(cluster):
        wait_until(lambda: not os.path.exists(folder), f"{folder} is removed")  # noqa: B023


def folders_of(cluster):
    """Those that the driver made for the workers of its machine."""
    return {event["handle"]["folder"] for event in cluster.of_kind("handle") if event["handle"].get("folder")}


def begin_work(cluster, plan):
    """Start the plan and wait until a worker tells of tasks that run; gives its address."""
    seen = len(cluster.of_kind("worker"))
    cluster.begin(**plan)
    wait_until(lambda: len(cluster.of_kind("worker")) > seen or not cluster.answers.empty(), "a worker runs tasks")
    return cluster.of_kind("worker")[-1]["worker"]


def left_over(plan):
    return [path for path in os.listdir(plan["folder"]) if path.startswith((".out", "out"))]


def test_cancelling_makes_all_workers_idle_at_once(cluster, endless):
    begin_work(cluster, endless)
    cluster.tell("cancel")
    answer = cluster.answer()
    assert answer["code"] == "cancelled", answer
    told = len(cluster.of_kind("worker"))
    time.sleep(1.5)
    assert len(cluster.of_kind("worker")) <= told + 1, "a task still runs"
    assert left_over(endless) == []


def test_workers_that_are_killed_cost_their_tasks_only(cluster, work):
    plan, rows = work
    os.kill(cluster.worker_pids()[begin_work(cluster, plan)], signal.SIGKILL)
    answer = cluster.answer()
    assert answer.get("rows") == rows and answer["account"]["attempts_lost"] >= 1, answer
    assert left_over(plan) == []


@slow
def test_a_worker_that_hangs_counts_as_dead_and_its_late_work_for_nothing(build_tree, work):
    plan, rows = work
    cluster = begin(build_tree, worker_timeout=12)
    pid = cluster.worker_pids()[begin_work(cluster, plan)]
    os.kill(pid, signal.SIGSTOP)
    answer = cluster.answer()
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass  # its nanny was quicker
    assert answer.get("rows") == rows and answer["account"]["attempts_lost"] >= 1, answer
    end(cluster)
    assert left_over(plan) == []


def test_a_full_disk_is_told_with_its_place(cluster, work, tmp_path):
    plan, _ = work
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", tmp_path], capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        frames = {"all": {"read": {"parquet": f"{plan['folder']}/left"}, "steps": [{"derive": {"h": "hash(left_n)"}}]}}
        answer = cluster.run(frames=frames, frame="all", folder=str(tmp_path), task_bytes=1)
        assert answer["code"] in ("i/o", "exhausted") and "after 3 tries" in answer["error"], answer
        assert os.listdir(tmp_path) == []
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)


def test_a_task_that_takes_every_worker_with_it_is_named(cluster, endless):
    begun = len(cluster.events)
    cluster.begin(**endless)
    killed = set()
    while cluster.answers.empty():
        busy = {event["worker"] for event in cluster.events[begun:] if event["event"] == "worker"}
        for worker, pid in cluster.worker_pids().items():
            if worker in busy - killed:
                killed.add(worker)
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    answer = cluster.answer()
    assert answer["code"] == "failed" and "ended with its worker 3 times" in answer["error"], answer
    assert "of stage" in answer["error"] and len(killed) >= 3
    assert left_over(endless) == []


def test_what_a_driver_that_died_left_is_ended_by_name(build_tree, own, tmp_path):  # noqa: F811
    """The cluster of a class of somebody's, which may be anywhere."""
    cluster = begin(build_tree, n_workers=1, provider="own.Own", env=own, options={"workers": 1})
    os.kill(driver_of(cluster), signal.SIGKILL)
    assert cluster.ask({"close": True}).get("closed"), "what it left was ended, so there is nothing to tell"
    assert (tmp_path / "reaped").read_text() == "mutirao-test" and not (tmp_path / "closed").exists()
    end(cluster)


def test_what_a_driver_could_not_close_is_ended_by_name(build_tree, own, tmp_path):  # noqa: F811
    cluster = begin(build_tree, n_workers=1, provider="own.Unclosable", env=own, options={"workers": 1})
    assert cluster.ask({"close": True}).get("closed")
    assert (tmp_path / "reaped").read_text() == "mutirao-test"
    end(cluster)


def driver_of(cluster):
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(cluster.process.pid)], capture_output=True, text=True)
    return int(children.stdout.split()[0])


def test_a_driver_that_dies_fails_the_plan(cluster, shared, endless):
    begin_work(cluster, endless)
    workers = set(cluster.worker_pids().values())
    os.kill(driver_of(cluster), signal.SIGKILL)
    answer = cluster.answer()
    # One that still ended a call would make a file after all was removed.
    assert not workers & set(processes_of(cluster.process.pid)), "the plan ended before its workers"
    assert answer["code"] == "unavailable" and "driver ended: killed by SIGKILL" in answer["error"], answer
    assert left_over(endless) == []
    end(shared.pop())


def test_a_run_that_is_killed_leaves_nothing(build_tree, endless):
    cluster = begin(build_tree)
    begin_work(cluster, endless)
    os.kill(cluster.process.pid, signal.SIGKILL)
    end(cluster)


def test_everything_that_is_killed_at_once_leaves_what_a_reaper_ends(build_tree, endless, start_driver):
    cluster = begin(build_tree)
    begin_work(cluster, endless)
    handle = cluster.of_kind("handle")[-1]["handle"]
    assert os.path.isdir(handle["folder"])
    for pid in processes_of(cluster.process.pid):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(cluster.process.pid), "what was killed is gone")
    assert not reap(start_driver(), "local", {}, handle), "the driver is dead, so there was nothing to kill"
    end(cluster)


def test_a_scheduler_that_dies_fails_the_plan(build_tree, scheduler, endless):  # noqa: F811
    address, processes = scheduler
    cluster = begin(build_tree, provider="address", n_workers=1, address=address)
    begin_work(cluster, endless)
    processes[0].kill()
    answer = cluster.answer()
    assert answer["code"] == "unavailable" and "the scheduler at" in answer["error"], answer
    end(cluster)
    # The worker is somebody else's and cannot be told to stop: what it stages yet is removed by who writes there next.
    assert [path for path in left_over(endless) if not path.startswith(".")] == []
