"""The C++ client against a reader that is as strict as Dagster's, with the flags of the community's suite."""

import base64
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

KEYS = {
    "opened": {"extras"}, "closed": set(), "log": {"message", "level"}, "log_external_stream": {"stream", "text", "extras"},
    "report_asset_materialization": {"asset_key", "data_version", "metadata"},
    "report_asset_check": {"asset_key", "check_name", "passed", "metadata", "severity"},
    "report_custom_message": {"payload"},
}
CONTEXT = {
    "asset_keys": ["asset1"], "code_version_by_asset_key": {"asset1": "7"}, "provenance_by_asset_key": {"asset1": None},
    "partition_key": None, "partition_key_range": None, "partition_time_window": None, "run_id": "run-1",
    "job_name": "daily", "retry_number": 0, "extras": {}}


@pytest.fixture(scope="module")
def driver(root):
    return Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev")) / "bin" / "pipes_conformance"


def encode(value):
    return base64.b64encode(zlib.compress(json.dumps(value).encode())).decode()


def read_messages(text):
    """As Dagster's reader: each line a message with exactly its keys; anything else ends the test."""
    assert text == "" or text.endswith("\n")
    messages = []
    for line in text.splitlines():
        message = json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        assert set(message) == {"__dagster_pipes_version", "method", "params"} and message["__dagster_pipes_version"] == "0.1"
        keys = set(message["params"])
        assert keys == KEYS[message["method"]] or (message["method"] == "closed" and keys == {"exception"}), line
        messages.append((message["method"], message["params"]))
    return messages


def launch(driver, tmp_path, *flags, context=None, messages=None, inline=False, arguments=False, code=0, env=None):
    """Run the driver as an orchestrator would; gives its messages and what it wrote."""
    document = {**CONTEXT, **(context or {})}
    (tmp_path / "context").write_text(json.dumps(document))
    (tmp_path / "messages").write_text("")
    context_param = encode({"data": document} if inline else {"path": str(tmp_path / "context")})
    messages_param = encode(messages or {"path": str(tmp_path / "messages")})
    command = [driver, *map(str, flags)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DAGSTER_PIPES_")}
    if arguments:
        command += ["--dagster-pipes-context", context_param, "--dagster-pipes-messages", messages_param]
    else:
        environment |= {"DAGSTER_PIPES_CONTEXT": context_param, "DAGSTER_PIPES_MESSAGES": messages_param}
    done = subprocess.run(command, env={**environment, **(env or {})}, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done
    return read_messages((tmp_path / "messages").read_text()), done


def write(tmp_path, name, value):
    path = tmp_path / name
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize("how", [{}, {"inline": True}, {"arguments": True}], ids=lambda h: "-".join(h) or "env")
def test_a_full_exchange(driver, tmp_path, how):
    extras = {"k": [1, {"x": None}]}
    messages, _ = launch(
        driver, tmp_path, "--full", "--job-name=daily", f"--extras={write(tmp_path, 'extras', extras)}",
        "--custom-payload-path", write(tmp_path, "payload", {"payload": {"a": [1, 2.5, None, "ü"]}}),
        "--report-asset-materialization", write(tmp_path, "made", {"dataVersion": "v1"}),
        "--report-asset-check", write(tmp_path, "check", {"passed": True, "severity": "WARN", "checkName": "c"}),
        "--logging", context={"extras": extras}, **how)
    assert [method for method, _ in messages] == ["opened", *["log"] * 5, "report_custom_message",
                                                  "report_asset_materialization", "report_asset_check", "closed"]
    by_method = dict(messages)
    assert by_method["opened"] == {"extras": {}} and by_method["closed"] == {}
    assert [p["level"] for m, p in messages if m == "log"] == ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    assert by_method["report_custom_message"] == {"payload": {"a": [1, 2.5, None, "ü"]}}
    assert by_method["report_asset_materialization"] == {"asset_key": "asset1", "data_version": "v1", "metadata": None}
    assert by_method["report_asset_check"] == {
        "asset_key": "asset1", "check_name": "c", "passed": True, "severity": "WARN",
        "metadata": {"text": {"raw_value": "from C++", "type": "__infer__"}}}


def test_every_type_of_metadata(driver, tmp_path):
    messages, _ = launch(driver, tmp_path, "--report-asset-materialization", write(tmp_path, "made", {}),
                         "--every-metadata")
    metadata = dict(messages)["report_asset_materialization"]["metadata"]
    assert all(set(value) == {"raw_value", "type"} for value in metadata.values())
    values = {name: value["raw_value"] for name, value in metadata.items()}
    assert isinstance(values["float"], float) and isinstance(values["inferred_float"], float), "floats keep a fraction"
    assert type(values["int"]) is int and values["inferred_bool"] is True and values["inferred_none"] is None
    assert values["text"] == "t\ufffd", "bytes that are no UTF-8 are replaced"
    assert values["asset"] == "raw/ab" and values["table"]["records"] == [{"id": 1, "name": "a"}, {"id": 2, "name": None}]
    assert values["table_schema"]["columns"][0] == {
        "name": "id", "type": "int", "description": "key", "tags": {"pii": "no"},
        "constraints": {"nullable": False, "unique": True, "other": []}}
    for name in ("text", "md", "url", "path", "notebook", "float", "int", "bool", "json", "timestamp", "null",
                 "dagster_run", "asset", "table", "table_schema"):
        assert metadata[name]["type"] == name
    assert metadata["lineage"]["type"] == "table_column_lineage"


def test_an_error(driver, tmp_path):
    messages, done = launch(driver, tmp_path, "--throw-error", code=1)
    exception = messages[-1][1]["exception"]
    assert set(exception) == {"message", "name", "stack", "cause", "context"}
    assert exception["message"] == "Very bad error has happened!" and exception["name"] == "std::runtime_error"
    assert isinstance(exception["stack"], list) and "Very bad error" in done.stderr


def test_a_crash(driver, tmp_path):
    # A sanitizer would take the signal for itself.
    left_alone = {"ASAN_OPTIONS": "handle_segv=0", "TSAN_OPTIONS": "handle_segv=0"}
    messages, _ = launch(driver, tmp_path, "--crash", code=-11, env=left_alone)
    assert messages[-1] == ("closed", {"exception": {"message": "killed by SIGSEGV", "name": "SIGSEGV", "stack": [],
                                                     "cause": None, "context": None}})


@pytest.mark.parametrize("kind", ["stdio", "buffered_stdio"])
def test_messages_on_a_standard_stream(driver, tmp_path, kind):
    _, done = launch(driver, tmp_path, "--logging", "--stdout", "hello", messages={kind: "stdout"})
    lines = done.stdout.splitlines()
    assert lines.count("hello") == 1 and lines.index("hello") == (0 if kind == "buffered_stdio" else 6)
    lines.remove("hello")
    assert [m for m, _ in read_messages("\n".join(lines) + "\n")] == ["opened", *["log"] * 5, "closed"]


def test_captured_output_comes_before_the_end(driver, tmp_path):
    where = {"path": str(tmp_path / "messages"), "include_stdio_in_messages": True}
    messages, done = launch(driver, tmp_path, "--stdout", "said aloud", messages=where)
    assert messages[-1] == ("closed", {})
    assert "".join(p["text"] for m, p in messages if m == "log_external_stream" and p["stream"] == "stdout") == "said aloud\n"
    assert done.stdout == "said aloud\n"


def test_alone_it_works_and_tells_nobody(driver, tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("DAGSTER_PIPES_")}
    done = subprocess.run([driver, "--logging", "--report-asset-materialization", write(tmp_path, "made", {})], env=env,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout == "", done


def test_assets_that_are_not_of_the_step(driver, tmp_path):
    made = write(tmp_path, "made", {"assetKey": "other"})
    _, done = launch(driver, tmp_path, "--report-asset-materialization", made, code=1)
    assert 'does not make the asset "other"' in done.stderr
    _, done = launch(driver, tmp_path, "--report-asset-materialization", write(tmp_path, "unnamed", {}), code=1,
                     context={"asset_keys": ["a", "b"]})
    assert "needs an asset key: the step makes 2 assets" in done.stderr
    messages, _ = launch(driver, tmp_path, "--report-asset-materialization", made, context={"asset_keys": None})
    assert dict(messages)["report_asset_materialization"]["asset_key"] == "other"


@pytest.mark.parametrize("context, messages, said", [
    ("rubbish", encode({"path": "/dev/null"}), "DAGSTER_PIPES_CONTEXT: it is not base64"),
    (encode({"path": "/nowhere/context"}), encode({"path": "/dev/null"}), "cannot read the context in /nowhere/context"),
    (encode({"bucket": "b", "key": "k"}), encode({"path": "/dev/null"}), "store that this program does not know"),
    (encode({"data": {"run_id": 1}}), encode({"path": "/dev/null"}), "the context: the context has no run_id"),
    (encode({"data": CONTEXT}), encode({"bucket": "b"}), "messages go to a store"),
    (encode({"data": CONTEXT}), encode({"stdio": "nowhere"}), "messages go to a store")])
def test_wrong_parameters(driver, context, messages, said):
    env = {**os.environ, "DAGSTER_PIPES_CONTEXT": context, "DAGSTER_PIPES_MESSAGES": messages}
    done = subprocess.run([driver, "--logging"], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and said in done.stderr, done


def test_messages_that_cannot_be_sent_have_an_exit_code_of_their_own(driver, tmp_path):
    where = {"path": str(tmp_path / "no" / "such" / "folder")}
    _, done = launch(driver, tmp_path, "--logging", messages=where, code=74)
    assert "7 messages could not be sent" in done.stderr


def test_mutirao_runs_it_as_a_command(driver, project):
    made, check = project.write("made", '{"dataVersion": "v1"}'), project.write("check", '{"passed": false, "severity": "ERROR", "checkName": "c"}')
    project.job({"ops": {"go": {"command": [str(driver), "--logging", "--report-asset-materialization", str(made),
                                            "--every-metadata", "--report-asset-check", str(check)]}}})
    op = project.run_ok("run", "job", "--json").json()["ops"]["go"]
    assert op["pipes"]["faults"] == 0 and op["pipes"]["closed"] and len(op["pipes"]["materializations"][0]["metadata"]) == 21
    assert op["pipes"]["checks"][0]["passed"] is False


DAGSTER = os.environ.get("MUTIRAO_DAGSTER_PYTHON")


@pytest.mark.skipif(not DAGSTER, reason="set MUTIRAO_DAGSTER_PYTHON to the Python of an environment that has dagster 1.13")
def test_dagster_itself_reads_it(driver, tmp_path):
    made, check = write(tmp_path, "made", {"dataVersion": "v1"}), write(tmp_path, "check", {"passed": True, "severity": "WARN", "checkName": "c"})
    script = (Path(__file__).parent / "programs" / "under_dagster.py")
    done = subprocess.run([DAGSTER, script, driver, made, check], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "DAGSTER_HOME": str(tmp_path), "DAGSTER_DISABLE_TELEMETRY": "1"})
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {"success": True, "metadata": 21, "data_version": "v1", "check": True,
                                                        "failed": True}
    assert "[pipes] external process pipes closed with exception" in done.stderr, "in its log alone"
