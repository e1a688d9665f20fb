"""A job of joins and aggregates run only through `mutirao task` processes gives the rows of an ordinary run."""

import json

import pyarrow as pa
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
    """The job, and the document of its stages."""
    frames = json.loads(json.dumps(FRAMES).replace("{dump}", str(dump)))
    job = project.job({"ops": {"load": {"frames": frames, "write": [{"frame": "states", "parquet": "out/states"}]}}})
    return job, project.run_ok("explain", job, "--tasks", "--json").json()


def stages_of(document):
    stages = document["stages"] if "stages" in document else document["ops"]["load"]["stages"]
    return sorted(stages, key=lambda stage: stage["id"])


def test_tasks_alone_give_the_rows_of_a_run(project, tasks):
    job, document = tasks
    stages = stages_of(document)
    assert len(stages) >= 2 and sum(len(stage["tasks"]) for stage in stages) >= 4
    parts = []
    for stage in stages:
        for task in stage["tasks"]:
            result = project.run_ok("task", stdin=json.dumps(task).encode()).json()
            parts += [part for part in find_parts(result) if part["path"].endswith(".parquet")]
    staged = [path for path in project.folder.rglob("*.parquet") if any(str(path).endswith(p["path"]) for p in parts)]
    assert staged and sum(part["rows"] for part in parts) == sum(pa.parquet.read_metadata(p).num_rows for p in staged)
    by_tasks = pa.concat_tables([pa.parquet.read_table(path) for path in staged])
    for path in staged:
        path.unlink()

    project.run_ok("run", job)
    by_run = project.read("out/states")
    assert by_run.num_rows > 50
    assert_same_rows(rows(by_tasks.select(by_run.column_names)), rows(by_run), by_run.column_names)


def find_parts(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from inner if key == "parts" else find_parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from find_parts(inner)


def test_a_task_needs_nothing_but_its_document(project, tasks, new_project):
    _, document = tasks
    task = stages_of(document)[0]["tasks"][0]
    project.path("jobs").rename(project.path("gone"))
    new_project("elsewhere").run_ok("task", stdin=json.dumps(task).encode())


@pytest.mark.parametrize("document", [b"", b"{}", b"[1]", b"not json", b'{"version": 99}'])
def test_refuses_what_is_no_task(project, document):
    outcome = project.run("task", stdin=document)
    assert outcome.code in (2, 3) and outcome.out == "", outcome
    assert "internal" not in outcome.err.lower()
