"""Ops take what other ops gave: stored datasets as frames, values in expressions and commands."""

import json
import sys

import pytest

OK, FAILED, INPUT = 0, 1, 3
ROWS = "id,uf,value\n1,SP,1.50\n2,RJ,2.25\n3,SP,\n"
LOAD = {"frames": {"rows": {"read": {"csv": "in.csv", "types": {"id": "int32", "value": "decimal(9,2)"}}},
                   "sp": {"from": "rows", "steps": [{"filter": "uf = 'SP'"}]}},
        "write": [{"frame": "rows", "parquet": "out/rows", "mode": "overwrite"},
                  {"frame": "sp", "ipc": "out/sp", "mode": "overwrite"}]}


@pytest.fixture
def data(project):
    project.write("in.csv", ROWS)
    return project


def ops(project, **definitions):
    return project.job({"ops": definitions})


def run(project, path, *arguments, code=OK):
    outcome = project.run("run", path, "--json", *arguments)
    assert outcome.code == code, outcome
    return outcome.json()["ops"], outcome


def reader(read, steps=(), **more):
    return {"frames": {"t": {"read": read, "steps": list(steps)}},
            "write": [{"frame": "t", "parquet": "out/again", "mode": "overwrite"}], **more}


def test_a_frame_reads_what_another_op_wrote(data):
    path = ops(data, again=reader({"dataset": "load.rows"}, [{"filter": "value > 1.5"}]), load=LOAD)
    data.run_ok("check", path)
    result, _ = run(data, path)
    assert list(result)[:2] == ["load", "again"], "the reader runs after the writer, wherever it stands in the file"
    output = result["load"]["outputs"]["rows"]
    assert output["uri"] == str(data.path("out/rows")) and output["format"] == "parquet" and output["rows"] == 3
    assert output["schema"] == [{"name": "id", "type": "int32"}, {"name": "uf", "type": "string"},
                                {"name": "value", "type": "decimal(9,2)"}]
    table = data.read("out/again")
    assert table.column("id").to_pylist() == [2] and str(table.schema.field("value").type) == "decimal128(9, 2)"


def test_by_a_name_of_in_and_from_ipc(data):
    path = ops(data, load=LOAD, again=reader({"dataset": "mine", "preserve_order": True}, **{"in": {"mine": "load.sp"}}))
    run(data, path)
    assert data.read("out/again").column("id").to_pylist() == [1, 3]


def test_partitions_keep_their_types(data):
    load = {"frames": LOAD["frames"], "write": [{"frame": "rows", "parquet": "out/rows", "partition_by": ["id"]}]}
    run(data, ops(data, load=load, again=reader({"dataset": "load.rows"}, [{"derive": {"next": "id + 1"}}])))
    table = data.read("out/again")
    assert sorted(table.column("next").to_pylist()) == [2, 3, 4]


def test_a_dataset_is_type_checked_before_it_exists(data):
    path = ops(data, load=LOAD, again=reader({"dataset": "load.rows"}, [{"filter": "valeu > 1"}]))
    outcome = data.run("check", path)
    assert outcome.code == INPUT and 'did you mean "value"?' in outcome.err
    path = ops(data, load=LOAD, again=reader({"dataset": "load.rows"}, [{"filter": "uf > 1"}]))
    assert data.run("run", path).code == INPUT and not data.path("out").exists()


def test_a_command_gets_datasets_and_values(data):
    script = ("import json, os, sys\nprint(sys.argv[1], sys.argv[2])\nrows = json.loads(os.environ['MUTIRAO_IN_ROWS'])\n"
              "print(rows['rows'], [c['name'] for c in rows['schema']])\n"
              "import dagster_pipes as d\nwith d.open_dagster_pipes() as p:\n  assert p.extras['in']['rows'] == rows\n"
              "  p.report_custom_message({'big': 2, 'word': 'SP'})\n  p.report_custom_message({'list': [1, 2]})\n")
    use = "import os, sys; print(sys.argv[1:], os.environ['MUTIRAO_IN_WORD'])"
    path = ops(data, load=LOAD,
               count={"command": [sys.executable, "-c", script, "${in.rows}", "${in.rows.rows}"], "in": {"rows": "load.rows"}},
               use={"command": [sys.executable, "-c", use, "${in.n}", "${in.word}"], "in": {"n": "count.big", "word": "count.word"}},
               again=reader({"csv": "in.csv", "types": {"id": "int64"}}, [{"filter": "id >= ${in.n} and uf <> ${in.word}"}],
                            **{"in": {"n": "count.big", "word": "count.word"}}))
    outcome = data.run_ok("check", path, "-v")
    assert "op again takes values of other ops" in outcome.err
    result, _ = run(data, path)
    assert result["count"]["stdout_tail"] == f"{data.path('out/rows')} 3\n3 ['id', 'uf', 'value']\n"
    assert result["count"]["outputs"] == {"big": {"value": 2}, "word": {"value": "SP"}, "list": {"value": [1, 2]}}
    assert result["use"]["stdout_tail"] == "['2', 'SP'] SP\n"
    assert data.read("out/again").column("id").to_pylist() == [2]


def test_a_command_gives_a_dataset(data):
    script = ("import pyarrow as pa, pyarrow.parquet as pq, dagster_pipes as d\n"
              "pq.write_table(pa.table({'n': [1, 2, 3]}), 'made.parquet')\n"
              "with d.open_dagster_pipes() as p:\n  p.report_custom_message({'table': {'uri': 'made.parquet', 'format': 'parquet'}})\n")
    path = ops(data, make={"command": [sys.executable, "-c", script]},
               again=reader({"dataset": "make.table"}, [{"filter": "n > 1"}]))
    assert "is checked when make.table has been written" in data.run_ok("check", path, "-v").err
    run(data, path)
    assert data.read("out/again").column("n").to_pylist() == [2, 3]


def test_a_dataset_of_a_command_lies_where_the_command_ran(data):
    script = ("import pyarrow as pa, pyarrow.parquet as pq, dagster_pipes as d\n"
              "pq.write_table(pa.table({'n': [1, 2, 3]}), 'made.parquet')\n"
              "with d.open_dagster_pipes() as p:\n  p.report_custom_message({'table': {'uri': 'made.parquet', 'format': 'parquet'}})\n")
    data.path("there").mkdir()
    path = ops(data, make={"command": [sys.executable, "-c", script], "cwd": "there"}, again=reader({"dataset": "make.table"}))
    result, _ = run(data, path)
    assert result["make"]["outputs"]["table"]["uri"] == str(data.path("there/made.parquet"))
    assert data.read("out/again").column("n").to_pylist() == [1, 2, 3]


def test_what_is_no_dataset_is_a_value(data):
    script = ("import dagster_pipes as d\nwith d.open_dagster_pipes() as p:\n"
              "  p.report_custom_message({'table': {'uri': 'x', 'format': None}})\n")
    path = ops(data, make={"command": [sys.executable, "-c", script]}, again=reader({"dataset": "make.table"}))
    result, _ = run(data, path, code=INPUT)
    assert result["make"]["outputs"] == {"table": {"value": {"uri": "x", "format": None}}}
    assert "make.table is a value, not a dataset" in result["again"]["error"]["message"]


def test_a_long_value_is_in_the_extras_only(data):
    make = ("import dagster_pipes as d\nwith d.open_dagster_pipes() as p:\n"
            "  p.report_custom_message({'long': 'x' * 200_000, 'short': 'y'})\n")
    use = ("import os, dagster_pipes as d\nwith d.open_dagster_pipes() as p:\n"
           "  print(len(p.extras['in']['long']), 'MUTIRAO_IN_LONG' in os.environ, os.environ['MUTIRAO_IN_SHORT'])\n")
    path = ops(data, make={"command": [sys.executable, "-c", make]},
               use={"command": [sys.executable, "-c", use], "in": {"long": "make.long", "short": "make.short"}})
    result, _ = run(data, path)
    assert result["use"]["stdout_tail"] == "200000 False y\n"


def test_frames_take_facts_of_resources(data):
    path = data.job({"resources": {"s": {"type": "process", "config": {
        "command": ["sleep", "600"], "facts": {"file": "in.csv", "uf": "SP"}}}},
        "ops": {"load": {"requires": ["s"],
                         "frames": {"t": {"read": {"csv": "${resources.s.file}"}, "steps": [{"filter": "uf = ${resources.s.uf}"}]}},
                         "write": [{"frame": "t", "parquet": "out/t"}]}}})
    assert "op load takes values of other ops or resources" in data.run_ok("check", path, "-v").err
    run(data, path)
    assert data.read("out/t").num_rows == 2


def test_what_is_not_there_is_told(data):
    path = ops(data, load=LOAD, again=reader({"dataset": "load.rows"}))
    result, _ = run(data, path, "--only", "again", code=INPUT)
    assert result["again"]["error"]["message"] == "load.rows is not there: op load has no result in this run"
    assert "run load too" in result["again"]["error"]["help"]
    path = ops(data, make={"command": ["true"]}, use={"command": ["echo", "${in.x}"], "in": {"x": "make.y"}})
    result, _ = run(data, path, code=INPUT)
    assert result["use"]["error"]["message"] == 'op make gave no output "y"'
    assert "custom messages" in result["use"]["error"]["help"]


@pytest.mark.parametrize("definitions, said", [
    ({"load": LOAD, "again": reader({"dataset": "lod.rows"})}, 'did you mean "load"?'),
    ({"load": LOAD, "again": reader({"dataset": "load.row"})}, 'did you mean "rows"?'),
    ({"load": LOAD, "again": reader({"dataset": "rows"})}, "names neither an input of this op nor an output"),
    ({"load": LOAD, "again": reader({"dataset": 5})}, "named by text"),
    ({"load": LOAD, "again": {"command": ["x"], "in": {"r": "load"}}}, "does not name an output of an op"),
    ({"load": LOAD, "again": {"command": ["x"], "in": {"r": 1}}}, "text"),
    ({"load": LOAD, "again": {"command": ["echo", "${in.s}"], "in": {"r": "load.rows"}}}, "in.s"),
    ({"a": {"command": ["x"], "in": {"r": "b.c"}}, "b": {"command": ["x"], "after": ["a"]}}, "the ops wait for each other"),
    ({"load": {**LOAD, "write": [{"frame": "rows", "csv": "out/rows"}]}, "again": reader({"dataset": "load.rows"})},
     "is stored as csv, which does not keep the types"),
], ids=["op", "frame", "name", "number", "output", "shape", "variable", "cycle", "csv"])
def test_wrong_inputs(data, definitions, said):
    outcome = data.run("check", ops(data, **definitions))
    assert outcome.code == INPUT and said in outcome.err, outcome


def test_preview_reads_what_an_earlier_run_wrote(data):
    path = ops(data, load=LOAD, again={"frames": {"u": {"read": {"dataset": "load.rows"}}},
                                       "write": [{"frame": "u", "parquet": "out/u"}]})
    outcome = data.run("preview", path, "u")
    assert outcome.code == INPUT and "load.rows has not been written yet" in outcome.err
    data.run_ok("run", path, "--only", "load")
    assert "2.25" in data.run_ok("preview", path, "u").out
