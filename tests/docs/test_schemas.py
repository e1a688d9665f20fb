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


def test_a_wrong_option_of_a_format_is_refused_by_the_program(project):
    job = copy.deepcopy(GOOD)
    job["ops"]["load"]["frames"]["a"]["read"]["delimeter"] = ";"
    project.write("in.csv", "a\n1\n")
    outcome = project.run("check", project.job(yaml.safe_dump(job)))
    assert outcome.code == 3 and "delimiter" in outcome.err, outcome
