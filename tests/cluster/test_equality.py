"""Random plans give the rows that they give in one process: on one, two and four workers, and while workers are killed.

Some in the suite; `make faults` (MUTIRAO_CLUSTER_PLANS=500) runs so many on each kind of cluster, MUTIRAO_SEED another choice
of them.
"""

import datetime
import decimal
import json
import os
import random
import signal
import sys
import tempfile
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from native_side import ROOT, processes_of, wait_until
from plans import Cluster

sys.path.insert(0, str(ROOT / "tests" / "differential"))
import random_plans  # noqa: E402

ARROW = {"int64": pa.int64(), "string": pa.string(), "float64": pa.float64(), "bool": pa.bool_(), "date": pa.date32(),
         "decimal(10,2)": pa.decimal128(10, 2)}
SEED = os.environ.get("MUTIRAO_SEED", "6")
ASKED = os.environ.get("MUTIRAO_CLUSTER_PLANS")


def write_tables(tables, folder):
    """Each table as Parquet files of a few rows, so that a scan has several tasks."""
    def cell(value, kind):
        if value is None or kind not in ("date", "decimal(10,2)"):
            return value
        return datetime.date.fromisoformat(value) if kind == "date" else decimal.Decimal(value)

    for name, table in tables.items():
        place = Path(folder) / name
        place.mkdir(parents=True)
        kinds = list(table["columns"].values())
        schema = pa.schema([(column, ARROW[kind]) for column, kind in table["columns"].items()])
        rows = table["rows"]
        for number, begin in enumerate(range(0, max(1, len(rows)), 15)):
            part = rows[begin:begin + 15]
            columns = [pa.array([cell(row[i], kind) for row in part], ARROW[kind]) for i, kind in enumerate(kinds)]
            pa.parquet.write_table(pa.table(columns, schema=schema), place / f"part-{number}.parquet")


def random_plan(number, tables, folder):
    plan = random_plans.Plan(random.Random(f"{SEED} plan {number}"), tables)
    frames = json.loads(json.dumps(plan.frames))
    for frame in frames.values():
        frame["read"] = {"parquet": f"{folder}/{frame['read']['table']}"}
    return frames, plan.name


def run_plans(cluster, count, folder, before_each=lambda: None):
    """Gives how many attempts were lost. A third of the plans choose how their joins are spread, the others are told."""
    rows = lost = 0
    joins = {}
    for number in range(count):
        if number % 20 == 0:
            tables = random_plans.Tables(random.Random(f"{SEED} tables {number}")).tables
            place = tempfile.mkdtemp(dir=folder)
            write_tables(tables, place)
        frames, name = random_plan(number, tables, place)
        before_each()
        told = {} if number % 3 == 0 else {"joins": ("broadcast", "partitioned")[number % 3 - 1]}
        answer = cluster.run(frames=frames, frame=name, folder=place, task_bytes=1, **told)
        assert answer.get("same") and not answer["exchange_left"], f"seed {SEED}, plan {number}: {answer}\n{frames}"
        rows += answer["rows"]
        lost += answer["account"]["attempts_lost"]
        for way, times in answer["account"].get("joins", {}).items():
            joins[way] = joins.get(way, 0) + times
    assert rows > 0
    if count >= 20:  # fewer may have no such join between them
        assert joins.get("broadcast") and joins.get("partitioned"), joins
    print(f"joins: {joins}")
    return lost


def end(cluster):
    session = cluster.process.pid
    assert cluster.close() == 0
    wait_until(lambda: not processes_of(session), "nothing of a closed cluster runs")


@pytest.mark.parametrize("workers, count", [(1, 0), (2, 20), (4, 0)])
def test_random_plans_give_the_same_rows_as_in_one_process(build_tree, tmp_path, workers, count):
    count = int(ASKED or count)
    if not count:
        pytest.skip("make faults runs it")
    cluster = Cluster(build_tree, n_workers=workers)
    assert len(cluster.started.get("workers", [])) == workers, cluster.started
    assert run_plans(cluster, count, tmp_path) == 0
    end(cluster)


def test_random_plans_give_the_same_rows_while_workers_are_killed(build_tree, tmp_path):
    """One of two workers in every fourth plan, at some moment of it."""
    cluster = Cluster(build_tree, n_workers=2)
    assert "workers" in cluster.started, cluster.started
    choose = random.Random(f"{SEED} kills")
    killed = []
    timers = []

    def kill_one():
        try:
            pid = choose.choice(sorted(cluster.worker_pids().values()))
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        except (IndexError, ProcessLookupError):
            pass  # the next one is not up yet

    def before_each():
        timers.append(threading.Timer(choose.uniform(0, 0.3), kill_one))
        if len(timers) % 4 == 1:
            timers[-1].start()

    lost = run_plans(cluster, int(ASKED or 8), tmp_path, before_each)
    for timer in timers[::4]:
        timer.join()
    print(f"{len(killed)} workers killed, {lost} attempts lost")
    assert killed
    end(cluster)
