"""What the workers of a cluster did and took is in the run's events while they run, and in its report at the end."""

import json

import numpy
import pyarrow as pa
import pyarrow.parquet
import pytest

ROWS = 3_000_000


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """A table whose rows in order take more than a task may hold."""
    folder = tmp_path_factory.mktemp("numbers")
    values = numpy.random.default_rng(6).integers(0, 1 << 62, ROWS)
    pa.parquet.write_table(pa.table({"n": values, "m": values ^ 5}), folder / "part.parquet")
    return folder


def test_memory_spill_and_cost_of_workers_are_told(project, numbers):
    # The memory of a worker is shared by its slots: a sixteenth of it is too little for the sort.
    config = {"provider": "local", "n_workers": 1, "threads_per_worker": 16, "worker_memory": "1 GiB", "price_per_worker_hour": 36}
    job = project.job({
        "resources": {"compute": {"type": "cluster", "config": config}},
        "ops": {"order": {"requires": ["compute"],
                          "frames": {"all": {"read": {"parquet": str(numbers)}, "steps": [{"sort": ["n"]}]}},
                          "write": [{"frame": "all", "parquet": "out/rows"}]}}})
    outcome = project.run_ok("run", job)
    report = json.loads(project.path("out/rows.run.json").read_text())
    cluster = report["ops"]["order"]["cluster"]
    assert cluster["worker_seconds"] > 0 and cluster["cost"] == pytest.approx(cluster["worker_seconds"] / 100)
    (address, worker), = cluster["workers"].items()
    assert worker["rows_read"] == ROWS and worker["tasks"] == cluster["tasks"]
    assert 20 << 20 < worker["held_peak_bytes"] < 64 << 20
    assert worker["resident_peak_bytes"] > worker["held_peak_bytes"]
    assert worker["spilled_bytes"] > ROWS * 8
    assert worker["spilled_bytes"] == report["ops"]["order"]["memory"]["spilled_bytes"]

    events = [json.loads(line) for line in project.run_ok("events", report["run"], "--json").out.splitlines()]
    told = [event["data"] for event in events if event["type"] == "op.progress" and "held_bytes" in event.get("data", {})]
    assert told and {event["worker"] for event in told} == {address}
    assert any(event["held_bytes"] > 0 or event["spilled_bytes"] > 0 for event in told)
    assert all(event["resident_peak_bytes"] >= event["resident_bytes"] > 0 for event in told)
    assert max(event["rows_read"] for event in told) > 0 and all(event["cost"] > 0 for event in told)

    assert f"{address}: 3,000,000 rows" in outcome.err and "worker-seconds, cost " in outcome.err, outcome.err
