"""A job of joins and aggregates run only through `mutirao task` processes gives the rows of an ordinary run."""

import json

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from harness.parquet import assert_same_rows, rows

FRAMES = {
    "companies": {
        "read": {"csv": "{dump}/Empresas*.zip", "layout": "cnpj/empresas"},
        "steps": [{"select": ["cnpj_basico", "porte", {"capital": "cast(replace(capital_social, ',', '.') as decimal(18,2))"}]}],
    },
    "states": {
        "read": {"csv": "{dump}/Estabelecimentos*.zip", "layout": "cnpj/estabelecimentos"},
        "steps": [
            {"filter": "situacao_cadastral in ('02', '08')"},
            {"join": {"with": "companies", "on": "cnpj_basico", "how": "inner"}},
            {"aggregate": {"by": ["uf", "porte"],
                           "with": {"n": "count()", "total": "sum(capital)", "roots": "count_distinct(cnpj_basico)",
                                    "first_day": "min(data_inicio_atividade)"}}},
        ],
    },
}


@pytest.fixture
def tasks(project, dump):
    """The job, and the documents of its tasks in the order of their stages."""
    frames = json.loads(json.dumps(FRAMES).replace("{dump}", str(dump)))
    job = project.job({"ops": {"load": {"frames": frames, "write": [{"frame": "states", "parquet": "out/states"}]}}})
    project.run_ok("explain", job, "--write-tasks", "tasks", "--task-bytes", 50_000)
    stages = json.loads(project.path("tasks/stages.json").read_text())
    return job, [project.path("tasks") / name for stage in stages for name in stage["tasks"]], stages


def test_tasks_alone_give_the_rows_of_a_run(project, tasks):
    job, documents, stages = tasks
    assert len(stages) >= 2 and len(documents) >= 4
    assert all(before < stage["stage"] for stage in stages for before in stage["after"])
    parts = []
    for document in documents:
        result = project.run_ok("task", stdin=document.read_bytes()).json()
        parts += [part for part in find_parts(result) if part["path"].endswith(".parquet")]
    written = list(project.path("tasks").rglob("*.parquet"))
    assert len(written) == len(parts)
    assert sum(part["rows"] for part in parts) == sum(pa.parquet.read_metadata(path).num_rows for path in written)
    by_tasks = pa.concat_tables([pa.parquet.read_table(path) for path in written])

    assert not project.path("out").exists(), "tasks alone must publish nothing"
    project.run_ok("run", job)
    by_run = project.read("out/states")
    assert by_run.num_rows > 50
    assert_same_rows(rows(by_tasks.select(by_run.column_names)), rows(by_run), by_run.column_names)


def test_tasks_are_cut_for_the_slots_of_a_cluster(project):
    project.write("in.csv", "n\n" + "".join(f"{i}\n" for i in range(10_000)))
    job = project.job({"ops": {"load": {"frames": {"rows": {"read": {"csv": "in.csv"}}},
                                        "write": [{"frame": "rows", "parquet": "out/rows"}]}}})
    cut = {slots: project.run_ok("explain", job, "--tasks", "--task-bytes", 12_000, "--slots", slots).out for slots in (2, 3)}
    # Six for either, of which the last of each slot come in three pieces.
    assert "stage 0: 10 tasks" in cut[2], cut[2]
    assert "stage 0: 12 tasks" in cut[3], cut[3]
    for wrong in (0, -1, "many"):
        refused = project.run("explain", job, "--tasks", "--slots", wrong)
        assert refused.code == 2 and "--slots" in refused.err


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_document_names_the_files_that_its_task_reads(project, kind):
    write = {"parquet": pa.parquet.write_table, "csv": pa.csv.write_csv}[kind]
    project.path("in").mkdir()
    for number in range(50):
        write(pa.table({"n": [number]}), project.path("in") / f"{number:02}.{kind}")
    job = project.job({"ops": {"load": {"frames": {"rows": {"read": {kind: f"in/*.{kind}"}}},
                                        "write": [{"frame": "rows", "parquet": "out/rows"}]}}})
    project.run_ok("explain", job, "--write-tasks", "tasks", "--task-bytes", 100 if kind == "csv" else 1)
    documents = sorted(project.path("tasks").glob("stage-*.json"))
    assert len(documents) > 1
    named = []
    for document in documents:
        source, = [node["source"] for node in json.loads(document.read_text())["plan"]["nodes"] if "source" in node]
        assert len(source["files"]) < 50
        named.append([file["uri"] for file in source["files"]])
    assert sorted(sum(named, [])) == sorted(str(path) for path in project.path("in").iterdir())
    result = project.run_ok("task", stdin=documents[0].read_bytes()).json()
    assert sum(part["rows"] for part in find_parts(result)) == len(named[0])


def find_parts(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from inner if key == "parts" else find_parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from find_parts(inner)


def test_a_task_needs_nothing_but_its_document(project, tasks, new_project):
    _, documents, _ = tasks
    project.path("jobs").rename(project.path("gone"))
    new_project("elsewhere").run_ok("task", stdin=documents[0].read_bytes())


@pytest.mark.parametrize("document", [b"", b"{}", b"[1]", b"not json", b'{"version": 99}'])
def test_refuses_what_is_no_task(project, document):
    outcome = project.run("task", stdin=document)
    assert outcome.code in (2, 3) and outcome.out == "", outcome
    assert "internal" not in outcome.err.lower()
