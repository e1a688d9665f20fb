"""`preserve_order: true` keeps rows in the order of files and of rows in them, whatever the number of threads."""

import pyarrow as pa
import pyarrow.parquet
import pytest

PER_FILE = 150_000
FILES = 4
RESOURCES = {"resources": {"pool": {"type": "cluster", "config": {"provider": "embedded", "n_workers": 8}}}}
# Filters and new columns between read and write must not disturb the order.
STEPS = [{"filter": "id % 7 != 3"}, {"derive": {"twice": "id * 2"}}]



def expected():
    return [i for i in range(FILES * PER_FILE) if i % 7 != 3]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """The numbers from 0, in files whose sizes make many chunks and row groups; the first file is the largest."""
    folder = tmp_path_factory.mktemp("inputs")
    for file in range(FILES):
        ids = range(file * PER_FILE, (file + 1) * PER_FILE)
        text = "".join(f"{i};{'x' * (60 if file == 0 else 20)}\n" for i in ids)
        (folder / f"{file}.csv").write_text("id;filler\n" + text)
        pa.parquet.write_table(pa.table({"id": pa.array(ids, pa.int64())}), folder / f"{file}.parquet",
                               row_group_size=7_000)
    return folder


READS = {
    "csv": lambda folder: {"csv": f"{folder}/*.csv", "delimiter": ";", "types": {"id": "int64"}},
    "parquet": lambda folder: {"parquet": f"{folder}/*.parquet"},
}


@pytest.mark.parametrize("kind", READS)
def test_rows_come_in_the_order_of_the_files(project, inputs, kind):
    read = {**READS[kind](inputs), "preserve_order": True}
    writes = [{"frame": "rows", "parquet": "one.parquet"}, {"frame": "rows", "parquet": "parts"},
              {"frame": "some", "ipc": "some.arrow"}]
    frames = {"rows": {"read": read, "steps": STEPS}, "some": {"from": "rows", "steps": [{"limit": 50_000}]}}
    project.run_ok("run", project.job({**RESOURCES, "ops": {"load": {"requires": ["pool"], "frames": frames, "write": writes}}}))
    assert project.read("one.parquet").column("id").to_pylist() == expected()
    assert project.read("parts").column("id").to_pylist() == expected()
    with pa.ipc.open_file(project.path("some.arrow")) as reader:
        assert reader.read_all().column("id").to_pylist() == expected()[:50_000]


@pytest.mark.parametrize("kind", READS)
def test_previews_show_the_first_rows(project, inputs, kind):
    job = project.job({"ops": {"load": {"frames": {"rows": {"read": {**READS[kind](inputs), "preserve_order": True}}},
                                        "write": [{"frame": "rows", "parquet": "out"}]}}})
    shown = project.run_ok("preview", job, "rows", "-n", "5", "--json").out.splitlines()
    assert [row.split(",")[0].split(":")[1].strip("} ") for row in shown] == ["0", "1", "2", "3", "4"]


def test_refuses_what_is_not_true_or_false(project, inputs):
    read = {**READS["csv"](inputs), "preserve_order": "yes"}
    job = project.job({"ops": {"load": {"frames": {"rows": {"read": read}}, "write": [{"frame": "rows", "parquet": "o"}]}}})
    outcome = project.run("check", job)
    assert outcome.code != 0 and "expects true or false" in outcome.err, outcome
