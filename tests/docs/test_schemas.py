"""The JSON Schemas that the program prints accept every file of ours and refuse what is wrong with it."""

import copy
import re

import jsonschema
import pytest
import yaml


class Yaml12(yaml.SafeLoader):
    """YAML 1.2, as the program reads it: `on` is a text, not true."""


Yaml12.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in rules if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def load(text):
    return yaml.load(text, Yaml12)


@pytest.fixture(scope="module")
def schema(binary, tmp_path_factory):
    from harness.project import Project

    project = Project(tmp_path_factory.mktemp("schemas"), binary)
    return {kind: project.run_ok("schema", kind).json() for kind in ("job", "instance", "layout")}


def job_texts(root):
    for path in sorted([*root.glob("examples/*/jobs/*.yaml"), *root.glob("bench/jobs/*.yaml")]):
        yield path.relative_to(root), path.read_text()
    for document in [root / "README.md", *sorted((root / "docs/guide").glob("*.md"))]:
        for number, block in enumerate(re.findall(r"```yaml\n(name: .*?)```", document.read_text(), re.DOTALL)):
            yield f"{document.name}#{number}", block


def test_schemas_are_schemas(schema):
    for document in schema.values():
        jsonschema.validators.validator_for(document).check_schema(document)


def test_every_job_of_the_project_is_accepted(schema, root):
    texts = dict(job_texts(root))
    assert len(texts) >= 6
    for name, text in texts.items():
        errors = [e.message for e in jsonschema.validators.validator_for(schema["job"])(schema["job"]).iter_errors(load(text))]
        assert not errors, f"{name}: {errors}"


def test_a_new_project_is_accepted(schema, project):
    project.run_ok("new", "fresh")
    jobs = list(project.path("fresh/jobs").glob("*.yaml"))
    assert jobs
    for path in jobs:
        jsonschema.validate(load(path.read_text()), schema["job"])
    instance = load(project.path("fresh/mutirao.yaml").read_text())
    jsonschema.validate(instance or {}, schema["instance"])


GOOD = load("""
name: x
ops:
  load:
    frames: {a: {read: {csv: in.csv}, steps: [{limit: 1}]}}
    write: [{frame: a, parquet: out}]
""")


@pytest.mark.parametrize("spoil", [
    lambda job: job.update(opz={}),
    lambda job: job["ops"]["load"].update(retries=1),
    lambda job: job["ops"]["load"]["frames"]["a"]["steps"].append({"filtr": "x = 1"}),
    lambda job: job["ops"]["load"]["write"][0].update(mode="replace"),
    lambda job: job["ops"]["load"]["frames"]["a"]["steps"].append({"limit": "many"}),
    lambda job: job.pop("ops"),
], ids=["top key", "op key", "step", "mode", "type", "no ops"])
def test_a_wrong_job_is_refused_by_schema_and_program(schema, project, spoil):
    jsonschema.validate(GOOD, schema["job"])
    job = copy.deepcopy(GOOD)
    spoil(job)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(job, schema["job"])
    project.write("in.csv", "a\n1\n")
    outcome = project.run("check", project.job(yaml.safe_dump(job)))
    assert outcome.code == 3 and "jobs/job.yaml:" in outcome.err, outcome


@pytest.mark.parametrize("option", [{"delimeter": ";"}, {"on_error": "ignore"}, {"header": "yes"}, {"skip": -1},
                                    {"columns": []}, {"columns": [{"nam": "a"}]}, {"max_errors": "many"}],
                         ids=lambda option: str(next(iter(option.items()))))
def test_a_wrong_option_of_a_read_is_refused_by_schema_and_program(schema, project, option):
    job = copy.deepcopy(GOOD)
    job["ops"]["load"]["frames"]["a"]["read"].update(option)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(job, schema["job"])
    project.write("in.csv", "a\n1\n")
    outcome = project.run("check", project.job(yaml.safe_dump(job)))
    assert outcome.code == 3 and "jobs/job.yaml:" in outcome.err, outcome


EVERY_OPTION = load("""
csv: [in.csv]
delimiter: ","
quote: ""
escape: null
comment: "#"
encoding: utf8
header: true
nulls: ["", NA]
nul: keep
newline: auto
skip: 0
types: {a: string, b: {type: date, format: "%Y%m%d"}}
quotes: lenient
max_record_bytes: 1000
on_error: quarantine
max_errors: 1.5%
quarantine: aside
infer: false
sniff: false
preserve_order: true
""")


def test_the_schema_has_every_option_of_a_csv_read(schema, project):
    job = copy.deepcopy(GOOD)
    job["ops"]["load"]["frames"]["a"]["read"] = EVERY_OPTION
    jsonschema.validate(job, schema["job"])
    reads = schema["job"]["definitions"]["op"]["properties"]["frames"]["additionalProperties"]["properties"]["read"]["anyOf"]
    [csv] = [read for read in reads if "csv" in read["properties"]]
    assert set(csv["properties"]) == set(EVERY_OPTION) | {"layout", "columns", "member"}
    project.write("in.csv", "a,b\n1,20260131\n")
    project.run_ok("check", project.job(yaml.safe_dump(job)))


def test_a_layout_that_the_schema_refuses_is_refused_by_the_program(schema, project):
    good = {"description": "x", "delimiter": ";", "columns": ["a", {"name": "b", "type": "date", "format": "%Y%m%d"}]}
    jsonschema.validate(good, schema["layout"])
    job = copy.deepcopy(GOOD)
    job["ops"]["load"]["frames"]["a"]["read"] = {"csv": "in.csv", "layout": "mine"}
    project.write("in.csv", "1;20260131\n")
    path = project.job(yaml.safe_dump(job))
    project.write("layouts/mine.yaml", yaml.safe_dump(good))
    project.run_ok("check", path)
    for wrong in ({"colums": []}, {"columns": []}, {"columns": [{"name": "a", "typ": "date"}]}, {"columns": ["a"], "header": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema["layout"])
        project.write("layouts/mine.yaml", yaml.safe_dump(wrong))
        assert project.run("check", path).code == 3, wrong


VARIABLES = """
name: job
params:
  n: {type: int64, default: 2}
  on: {type: bool, default: true}
  names: {type: "list<string>", default: [a]}
  name: {type: string, default: a}
  limit: {type: string, default: 5m}
  policy: {type: string, default: quarantine}
resources: {c: {type: cluster, config: {provider: embedded, n_workers: "${n}"}}}
ops:
  load:
    requires: [c]
    retry: {max: "${n}", delay: "${limit}", backoff: none}
    timeout: "${limit}"
    frames:
      a:
        read: {csv: in.csv, header: "${on}", max_errors: "${n}", on_error: "${policy}", preserve_order: "${on}"}
        steps:
          - select: "${names}"
          - limit: "${n}"
          - sample: {n: "${n}", seed: "${n}"}
          - distinct: "${names}"
          - sort: "${names}"
          - aggregate: {by: "${names}", with: {n: count()}}
          - select: ["${name}", n, {twice: "n * ${n}"}]
    write:
      - {frame: a, parquet: "out-${n}", mode: overwrite, partition_by: "${names}", compression_level: "${n}"}
"""


def test_variables_stand_for_values_of_every_type(schema, project):
    jsonschema.validate(load(VARIABLES), schema["job"])
    project.write("in.csv", "a,b\nx,1\nx,2\ny,3\n")
    project.run_ok("run", project.job(VARIABLES))
    assert project.read("out-2").to_pylist() == [{"n": 1, "twice": 2, "a": "x"}]
    project.run_ok("run", "job", "-p", "n=1")
    assert project.read("out-1").to_pylist() == [{"n": 1, "twice": 1, "a": "x"}]


@pytest.mark.parametrize("argument, said", [
    ("limit=soon", "length of time"), ("policy=ignore", "on_error is one of"), ("names=[c]", '"c" is not in'),
    ("n=0", "at least 1"),
])
def test_a_value_that_does_not_fit_is_told_where_it_is_used(project, argument, said):
    project.write("in.csv", "a,b\nx,1\n")
    outcome = project.run("check", project.job(VARIABLES), "-p", argument)
    assert outcome.code == 3 and said in outcome.err and "jobs/job.yaml:" in outcome.err, outcome


def test_a_variable_that_is_not_closed(project):
    outcome = project.run("check", project.job("name: job\nops: {go: {command: [echo, '${name', '$${x} $${y']}}\n"))
    assert outcome.code == 3 and "this ${ is not closed" in outcome.err and outcome.err.count("error:") == 1, outcome


@pytest.mark.parametrize("resource, good", [
    ({"type": "process", "config": {"command": ["x"], "start_timeout": "${limit}"}}, True),
    ({"type": "process", "config": {"command": "x"}}, False),
    ({"type": "process", "config": {"comand": ["x"]}}, False),
    ({"type": "nothing"}, False),
    ({"type": "secret", "config": {"env": "KEY"}, "timeout": "5s", "retry": {"max": 1}}, True),
    ({"type": "cluster", "config": {"n_workers": "${n}"}}, True),
])
def test_configs_of_resources_are_checked_by_type(schema, resource, good):
    job = {"name": "j", "resources": {"r": resource}, "ops": {"o": {"command": ["true"], "requires": ["r"]}}}
    errors = list(jsonschema.validators.validator_for(schema["job"])(schema["job"]).iter_errors(job))
    assert (not errors) == good, [e.message for e in errors]
