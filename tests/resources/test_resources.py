"""Resources of a run: made before the first op that needs them, shared, ended after the last, whatever happens."""

import json

import pytest

from harness import store

SLEEPER = {"type": "process", "config": {"command": ["sh", "-c", "echo up; exec sleep 600"], "ready": {"log": "up"}}}


def sh(script, **more):
    return {"command": ["sh", "-c", script], **more}


def test_resources_stand_on_each_other(project):
    upper = json.loads(json.dumps(SLEEPER))
    upper["config"]["env"] = {"BELOW": "${resources.lower.pid}"}
    job = project.job({"resources": {"upper": upper, "lower": SLEEPER}, "ops": {"a": sh("true", requires=["upper"])}})
    project.run_ok("run", job)
    assert [t for t in store.told(project) if t.startswith("resource.")] == [
        "resource.acquiring(lower)", "resource.ready(lower)", "resource.acquiring(upper)", "resource.ready(upper)",
        "resource.releasing(upper)", "resource.released(upper)", "resource.releasing(lower)", "resource.released(lower)"]
    store.assert_nothing_is_left(project)


def test_what_cannot_be_made_fails_its_ops_and_ends_what_is_up(project):
    broken = {"type": "process", "requires": ["lower"], "retry": {"max": 1, "delay": "10ms"},
              "config": {"command": ["sh", "-c", "echo no licence; exit 3"], "ready": {"log": "up"}}}
    job = project.job({"resources": {"lower": SLEEPER, "broken": broken},
                       "ops": {"a": sh("true", requires=["broken"]), "b": sh("true", after=["a"]), "c": sh("true")}})
    outcome = project.run("run", job)
    assert outcome.code == 1
    assert "its resource broken could not be made" in outcome.err and "it last said: no licence" in outcome.err
    run = store.last_run(project)
    assert store.ops(project, run["id"]) == {"a": "failed", "b": "blocked", "c": "succeeded"}
    assert store.told(project).count("resource.acquiring(broken)") == 2
    store.assert_nothing_is_left(project)


@pytest.mark.parametrize("script, outcome", [("true", "succeeded"), ("exit 1", "failed")])
def test_the_end_is_told_how_it_went(project, script, outcome):
    job = project.job({"resources": {"r": SLEEPER}, "ops": {"a": sh(script, requires=["r"])}})
    project.run("run", job)
    [releasing] = [e for e in store.events(project, store.last_run(project)["id"]) if e["type"] == "resource.releasing"]
    assert releasing["data"]["outcome"] == outcome
    store.assert_nothing_is_left(project)


def test_nothing_starts_that_no_selected_op_needs(project):
    job = project.job({"resources": {"r": SLEEPER}, "ops": {"a": sh("true", requires=["r"]), "b": sh("true")}})
    project.run_ok("run", job, "--only", "b")
    assert not [t for t in store.told(project) if t.startswith("resource.")]


@pytest.mark.parametrize("resource, where, message", [
    ({"type": "proces"}, "type", 'did you mean "process"'),
    ({"type": "process", "config": {}}, "config", "command"),
    ({"type": "process", "config": {"command": ["x"], "redy": {}}}, "redy", 'did you mean "ready"'),
    ({"type": "process", "requires": ["nobody"], "config": {"command": ["x"]}}, "requires", 'there is no resource "nobody"'),
    ({"type": "process", "timeout": "soon", "config": {"command": ["x"]}}, "timeout", "a length of time"),
    ({"type": "secret", "config": {"env": 3}}, "env", "text"),
    ({"type": "secret", "config": {}}, "config", "either env: NAME or file: PATH"),
    ({"type": "process", "config": {"command": ["x"], "ready": {"tcp": 99999999}}}, "tcp", '"99999999" is no port'),
    ({"type": "process", "config": {"command": ["x", "${port.web}"]}}, "command", "ports: [web]"),
    ({"type": "process", "config": {"command": ["x"], "stop_timeout": "99999999999999d"}}, "stop_timeout", "longer than a year"),
    ({"type": "http", "config": {"url": "ftp://x"}}, "url", "neither http:// nor https://"),
    ({"type": "http", "config": {"url": "http://ana:secret@x/"}}, "url", "put it into headers"),
    ({"type": "postgres", "config": {"port": -4}}, "port", '"-4" is no port'),
    ({"type": "module", "config": {"module": "nothing"}}, "module", "nothing"),
])
def test_what_is_wrong_is_told_with_its_place(project, resource, where, message):
    job = project.job({"resources": {"r": resource}, "ops": {"a": sh("true", requires=["r"])}})
    for command in ("check", "run"):
        outcome = project.run(command, job)
        assert outcome.code in (1, 3), outcome
        assert message in outcome.err and "jobs/job.yaml:" in outcome.err, outcome
    assert store.runs(project) == []


def test_resources_that_wait_for_each_other_are_refused(project):
    job = project.job({"resources": {"a": {**SLEEPER, "requires": ["b"]}, "b": {**SLEEPER, "requires": ["a"]}},
                       "ops": {"o": sh("true", requires=["a"])}})
    outcome = project.run("run", job)
    assert outcome.code == 3 and "wait for each other" in outcome.err, outcome
