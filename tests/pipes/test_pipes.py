"""Programs that speak the Dagster Pipes protocol run as commands of ops, unchanged."""

import json
import os
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
OK, FAILED, INPUT = 0, 1, 3
HEAD = '{"__dagster_pipes_version": "0.1", "method": '
OPENED, CLOSED = HEAD + '"opened", "params": {"extras": {}}}\n', HEAD + '"closed", "params": {}}\n'


def custom(payload):
    return HEAD + f'"report_custom_message", "params": {{"payload": {json.dumps(payload)}}}}}\n'


def job(project, *argv, **op):
    return project.job({"ops": {"go": {"command": [sys.executable, *map(str, argv)], **op}}})


def go(project, path, code=OK, **options):
    outcome = project.run("run", path, "--json", **options)
    assert outcome.code == code, outcome
    return outcome.json()["ops"]["go"], outcome


def raw(project, *lines, code=OK, **op):
    return go(project, job(project, PROGRAMS / "raw.py", *lines, **op), code)


@pytest.mark.parametrize("settings", [
    {}, {"bootstrap": "arguments"}, {"messages": "stdout"}, {"messages": "stderr"},
    {"messages": "stdout", "bootstrap": "arguments"}], ids=lambda s: "-".join(s.values()) or "default")
def test_an_unchanged_program(project, settings):
    extras = {"k": 1, "list": [1, "two", {"three": None}], "text": "${job.name}", "whole": "${config.n}"}
    path = job(project, PROGRAMS / "everything.py", extras=extras, pipes=settings, config={"n": 5})
    op, outcome = go(project, path)
    pipes = op["pipes"]
    assert pipes["faults"] == 0 and pipes["closed"] and pipes["exception"] is None

    [made] = pipes["materializations"]
    assert made["asset_key"] == "go" and made["data_version"] == "v1"
    metadata = {name: (entry["type"], entry["value"]) for name, entry in made["metadata"].items()}
    assert metadata["inferred_text"] == ("text", "t") and metadata["inferred_int"] == ("int", 1)
    assert metadata["inferred_float"] == ("float", 1.5) and metadata["inferred_bool"] == ("bool", True)
    assert metadata["inferred_none"] == ("null", None) and metadata["inferred_json"] == ("json", [1, {"a": 2}])
    for name in ("text", "md", "url", "path", "notebook", "float", "int", "bool", "json", "timestamp", "null",
                 "dagster_run", "asset", "table", "table_schema"):
        assert metadata[name][0] == name
    assert metadata["asset"][1] == ["raw", "ab"] and metadata["not_a_number"] == ("float", None)
    assert metadata["table"][1]["schema"][0]["constraints"] == {"nullable": False, "unique": True, "other": ["> 0"]}
    assert metadata["lineage"] == ("table_column_lineage", {"deps_by_column": {
        "id": [{"asset_key": ["raw", "ab"], "column_name": "n"}]}})

    assert [(c["check"], c["passed"], c["severity"]) for c in pipes["checks"]] == [
        ("rows", True, "error"), ("dates", False, "warn")]
    first, second = pipes["messages"]
    assert second == [1, "two", None]
    assert first["context"] == {
        "asset_key": "go", "run_id": outcome.json()["run"], "job_name": "job", "retry": 0, "code_version": None,
        "extras": {"k": 1, "list": [1, "two", {"three": None}], "text": "job", "whole": 5}, "is_partition_step": False}
    for line in ("[debug] a detail", "[info] reading", "[warning] watch out", "[error] something", "[critical] worse"):
        assert f"go | {line}" in outcome.err
    assert op["stdout_tail"] == '{"to": "stdout"}\n' and "to stderr" in op["stderr_tail"]
    assert "check dates of go did not hold" in outcome.err


def test_the_retry_number_and_what_a_failed_attempt_reported(project):
    op, outcome = go(project, job(project, PROGRAMS / "fails.py", retry={"max": 1}), FAILED)
    assert op["attempts"] == 2
    assert op["error"]["message"].endswith("exit code 1: ValueError: Very bad error has happened!")
    exception = op["pipes"]["exception"]
    assert exception["name"] == "ValueError" and exception["stack"] and exception["cause"]["name"] == "KeyError"
    assert op["pipes"]["messages"] == [{"before": "the end"}], "results stay as evidence"


def test_assets(project):
    script = "import sys, dagster_pipes as d\nwith d.open_dagster_pipes() as p:\n  for k in sys.argv[1:]: p.report_asset_materialization(asset_key=k)\n"
    path = job(project, "-c", script, "raw/a", "b", pipes={"assets": ["raw/a", "b"]})
    op, _ = go(project, path)
    assert [m["asset_key"] for m in op["pipes"]["materializations"]] == ["raw/a", "b"]
    go(project, job(project, "-c", script, "any/thing", pipes={"assets": []}))
    op, outcome = go(project, job(project, "-c", script, "other"), FAILED)
    assert "Invalid asset key" in op["error"]["message"] and "pipes: {assets:" in op["error"]["help"]


def test_one_bad_message_fails_the_op_and_loses_no_other(project):
    lines = [OPENED, "{broken\n", custom("kept"), HEAD + '"log", "params": {"message": "m", "level": "TRACE"}}\n', CLOSED]
    op, _ = raw(project, *lines, code=FAILED)
    assert op["pipes"]["messages"] == ["kept"] and op["pipes"]["faults"] == 2 and op["pipes"]["received"] == 3
    assert "2 of the program's messages cannot be read: message 2: it is not valid JSON" in op["error"]["message"]
    op, outcome = raw(project, *lines, pipes={"on_fault": "warn"})
    assert op["pipes"]["faults"] == 2 and "cannot be read" in outcome.err


@pytest.mark.parametrize("lines, faults", [
    ([OPENED, HEAD + '"later", "params": {}}\n', CLOSED], 1),
    ([OPENED, HEAD + '"closed", "params": {"exception": null}}\n'], 1),
    ([OPENED, HEAD + '"report_asset_materialization", "params": {"asset_key": "a", "data_version": null, "metadata": {"n": 1}}}\n', CLOSED], 1),
    ([OPENED, custom("split")[:30], custom("split")[30:], CLOSED], 0),
    ([OPENED, CLOSED.strip()], 0),
    ([OPENED, custom("x")[:40]], 1),
    ([OPENED, "5\n", "[]\n", "\n", "text\n", CLOSED], 3),
], ids=["method", "exception", "metadata", "split", "no-newline", "cut", "lines"])
def test_bad_input(project, lines, faults):
    op, _ = raw(project, *lines, code=FAILED if faults else OK)
    assert op["pipes"]["faults"] == faults


def test_a_message_that_is_too_long(project):
    script = PROGRAMS / "raw.py"
    code = (f"import sys; sys.argv = ['raw', {OPENED!r}, {HEAD + chr(34) + 'log' + chr(34)!r} + ', \"params\": {{\"message\": \"' + 'x' * 2000000 + '\"}}}}\\n', {custom(1)!r}]\n"
            f"exec(open({str(script)!r}).read())")
    op, _ = go(project, job(project, "-c", code), FAILED)
    assert op["pipes"]["messages"] == [1] and "more than 1048576" in op["error"]["message"]


def test_other_versions_and_missing_ends_are_warnings(project):
    _, outcome = raw(project, OPENED.replace("0.1", "9.9"), CLOSED.replace("0.1", "0.7"))
    assert "another version of the Pipes protocol" in outcome.err
    _, outcome = raw(project, OPENED)
    assert "did not say that it was done" in outcome.err
    _, outcome = raw(project, OPENED, CLOSED, custom("late"))
    assert "after the one that says it is done" in outcome.err


def test_silence(project):
    _, outcome = go(project, job(project, "-c", "pass"))
    assert "warning" not in outcome.err
    _, outcome = go(project, job(project, "-c", "pass", extras={"a": 1}))
    assert "sent no messages" in outcome.err
    op, _ = go(project, job(project, "-c", "pass", pipes={"on_silence": "fail"}), FAILED)
    assert op["error"]["message"] == "the program sent no messages"


def test_the_folder_of_a_session_is_private_and_goes_away(project):
    script = "import base64, json, os, zlib\nfor name in 'CONTEXT', 'MESSAGES':\n  value = json.loads(zlib.decompress(base64.b64decode(os.environ['DAGSTER_PIPES_' + name])))\n  print(value['path'], oct(os.stat(value['path']).st_mode & 0o777), oct(os.stat(os.path.dirname(value['path'])).st_mode & 0o777))"
    op, _ = go(project, job(project, "-c", script, extras={"a": 1}))
    for line in op["stdout_tail"].splitlines():
        path, mode, folder = line.split()
        assert mode == "0o600" and folder == "0o700" and not Path(path).parent.exists()


def test_secrets_are_masked_in_what_programs_report(project):
    script = ("import os, dagster_pipes as d\nwith d.open_dagster_pipes() as p:\n  s = os.environ['DB_PASSWORD']\n"
              "  p.log.info('log ' + s)\n  p.report_custom_message({'text': s})\n"
              "  p.report_asset_materialization(metadata={'dsn': 'user:' + s + '@host'})\n")
    op, outcome = go(project, job(project, "-c", script, env={"DB_PASSWORD": "correct-horse-battery"}))
    assert "correct-horse" not in json.dumps(op) + outcome.err
    assert op["pipes"]["messages"] == [{"text": "***"}]


@pytest.mark.parametrize("op, said", [
    ({"command": ["x"], "pipes": {"message": "file"}}, 'did you mean "messages"?'),
    ({"command": ["x"], "pipes": {"messages": "socket"}}, "messages"),
    ({"module": "x.so#y", "pipes": {}}, "pipes belongs to an op with a command"),
    ({"module": "x.so#y", "extras": {}}, "extras belongs to an op with a command"),
    ({"command": ["x"], "extras": {"a": "${none}"}}, 'nothing named "none"'),
])
def test_wrong_settings(project, op, said):
    outcome = project.run("check", project.job({"ops": {"go": op}}))
    assert outcome.code == INPUT and said in outcome.err, outcome
