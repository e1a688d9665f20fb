"""The program as a user meets it: commands, streams, exit codes, config, signals."""

import json
import os
import shutil
import signal
import subprocess
import time

import pytest

OK, FAILED, USAGE, INPUT, INFRASTRUCTURE = 0, 1, 2, 3, 4


def command_job(project, *argv, name="job", **op):
    return project.job({"ops": {"go": {"command": list(argv), **op}}}, name)


def test_version(project):
    assert project.run_ok("version").out.startswith("mutirao ")
    assert "version" in project.run_ok("version", "--json").json()
    assert project.run_ok("--version").out == project.run_ok("version").out


def test_version_needs_no_engine(binary, tmp_path):
    alone = tmp_path / "bin" / "mutirao"
    alone.parent.mkdir()
    shutil.copy(binary, alone)
    version = subprocess.run([alone, "version"], capture_output=True, text=True)
    assert (version.returncode, version.stdout[:8], version.stderr) == (OK, "mutirao ", "")
    check = subprocess.run([alone, "check"], capture_output=True, text=True)
    assert check.returncode == INFRASTRUCTURE
    assert "cannot load the commands: libmutirao-commands.so" in check.stderr
    assert "install mutirao again" in check.stderr


@pytest.mark.parametrize("arguments", [["version"], ["version", "--json"], ["schema", "job"], ["-h"]])
def test_output_that_cannot_be_written_is_an_error(binary, arguments):
    with open("/dev/full", "w") as full:
        done = subprocess.run([binary, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == INFRASTRUCTURE
    assert "cannot write to stdout: No space left on device" in done.stderr


def test_a_reader_that_has_enough_is_no_error(binary):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([binary, "schema", "job"], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (OK, "")


@pytest.mark.parametrize("arguments, said", [
    (["chekc"], 'did you mean "check"?'),
    (["run"], "JOB"),
    (["run", "x", "--dryrun"], 'did you mean "--dry-run"?'),
    (["preview", "x", "y", "-n", "many"], "many"),
    (["schema", "jobs"], "job"),
    (["version", "--color", "sometimes"], "sometimes"),
], ids=lambda a: " ".join(a) if isinstance(a, list) else "")
def test_wrong_usage(project, arguments, said):
    outcome = project.run(*arguments)
    assert outcome.code == USAGE and outcome.out == "" and said in outcome.err, outcome


def test_help_begins_with_examples(project):
    text = project.run_ok("run", "-h").out
    assert 0 < text.index("Examples:") < text.index("Usage:") < text.index("-p,--param")
    assert "preview" in project.run_ok("-h").out


def test_no_command_shows_help(project):
    assert project.run().code == USAGE


def test_unknown_job(project):
    project.job({"ops": {"go": {"command": ["true"]}}}, "sales")
    outcome = project.run("run", "sale")
    assert outcome.code == INPUT and 'did you mean "sales"?' in outcome.err
    assert project.run("run", "jobs/none.yaml").code == INPUT


def test_job_by_name(project):
    project.job({"ops": {"go": {"command": ["true"]}}}, "sales")
    project.run_ok("run", "sales")


def test_check_of_all_jobs(project):
    command_job(project, "true", name="one")
    command_job(project, "true", name="two")
    outcome = project.run_ok("check")
    assert outcome.out == "" and "one.yaml: ok" in outcome.err and "two.yaml: ok" in outcome.err


def test_check_as_data(project):
    project.job("name: job\nops: {go: {comand: [ls]}}\n")
    outcome = project.run("check", "job", "--json")
    assert outcome.code == INPUT and outcome.err == ""
    [job] = outcome.json()
    assert not job["ok"] and {(e["line"], e["column"]) for e in job["errors"]} == {(2, 7), (2, 12)}


def test_command_output_goes_to_stderr_with_the_name_of_the_op(project):
    outcome = project.run_ok("run", command_job(project, "sh", "-c", "echo to-out; echo to-err >&2"))
    assert outcome.out == "" and "go | to-out" in outcome.err and "go | to-err" in outcome.err


def test_failed_command(project):
    outcome = project.run("run", command_job(project, "sh", "-c", "echo broken pipe >&2; exit 3"))
    assert outcome.code == FAILED and "exit code 3" in outcome.err and "broken pipe" in outcome.err


def test_command_that_is_not_there(project):
    outcome = project.run("run", command_job(project, "no-such-program-here"))
    assert outcome.code == INPUT and "no-such-program-here" in outcome.err


def test_a_failed_op_blocks_those_after_it_and_no_others(project):
    job = project.job({"ops": {
        "bad": {"command": ["false"]},
        "after_bad": {"after": ["bad"], "command": ["touch", "after_bad"]},
        "other": {"command": ["touch", "other"]}}})
    outcome = project.run("run", job, "--json")
    assert outcome.code == FAILED
    ops = outcome.json()["ops"]
    assert (ops["bad"]["state"], ops["after_bad"]["state"], ops["other"]["state"]) == ("failed", "blocked", "succeeded")
    assert ops["after_bad"]["blocked_by"] == "bad"
    assert project.path("other").exists() and not project.path("after_bad").exists()


def test_retries(project):
    script = "echo x >> tries; test $(wc -l < tries) -ge 3"
    job = command_job(project, "sh", "-c", script, retry={"max": 3, "delay": "10ms", "backoff": "exponential"})
    outcome = project.run_ok("run", job, "--json")
    assert outcome.json()["ops"]["go"]["attempts"] == 3


def test_timeout(project):
    began = time.monotonic()
    outcome = project.run("run", command_job(project, "sleep", "30", timeout="300ms"))
    assert outcome.code == FAILED and "timeout" in outcome.err and time.monotonic() - began < 25


def test_selection(project):
    job = project.job({"ops": {name: {"command": ["touch", name], "after": after}
                               for name, after in [("a", []), ("b", ["a"]), ("c", ["b"])]}})
    project.run_ok("run", job, "--only", "b+")
    assert [project.path(n).exists() for n in "abc"] == [False, True, True]
    assert project.run("run", job, "--only", "bb").code == USAGE


def test_dry_run_does_nothing(project):
    outcome = project.run_ok("run", command_job(project, "touch", "made"), "--dry-run")
    assert "touch" in outcome.out and not project.path("made").exists()


PARAMS = """
name: job
params:
  text: {type: string, default: job}
  list: {type: "list<string>", default: [a]}
  count: {type: int64, default: 1}
ops:
  go: {command: [sh, -c, 'echo "$@"', x, "${text}", "${list}", "${count}", "${env.FROM_DOTENV}"]}
"""


def params(project, *arguments, env=None):
    run = project.run_ok("run", "job", "--json", *arguments, env=env).json()
    return {name: (p["value"], p["origin"]) for name, p in run["params"].items()}


def test_layers_of_config(project):
    project.job(PARAMS)
    project.write("mutirao.yaml", "defaults: {params: {text: instance, unused: 1}}\n")
    project.write(".env", "FROM_DOTENV=dot\nMUTIRAO__PARAMS__COUNT=5\n")
    project.write("one.yaml", "params: {text: one, list: [x, y]}\n")
    project.write("two.yaml", "params: {text: two}\n")
    assert params(project)["text"] == ("job", "job")
    assert params(project)["count"] == (5, "environment MUTIRAO__PARAMS__COUNT")
    given = params(project, "-c", "one.yaml", "-c", "two.yaml")
    assert given["text"] == ("two", "file two.yaml") and given["list"] == (["x", "y"], "file one.yaml")
    assert params(project, env={"MUTIRAO__PARAMS__COUNT": "7"})["count"][0] == 7, ".env must not override"
    assert params(project, "-p", "count=9", env={"MUTIRAO__PARAMS__COUNT": "7"})["count"] == (9, "-p")
    assert params(project, "-p", "list=SP,RJ")["list"][0] == ["SP", "RJ"]
    assert params(project, "-p", "list=[SP, RJ]")["list"][0] == ["SP", "RJ"]
    assert params(project, "-p", "list=")["list"][0] == []
    assert params(project, "--set", "params.text=set")["text"] == ("set", "--set")


def test_values_reach_the_command_as_text(project):
    project.job(PARAMS)
    project.write(".env", "FROM_DOTENV='a $b'\n")
    outcome = project.run_ok("run", "job", "-p", "text=q'uo te", "-p", "list=SP,RJ")
    assert "go | q'uo te SP,RJ 1 a $b" in outcome.err


@pytest.mark.parametrize("argument, said", [
    ("count=many", "int64"), ("cuont=1", 'has no param "cuont"'), ("count", "name=value")])
def test_wrong_params(project, argument, said):
    project.job(PARAMS)
    project.write(".env", "FROM_DOTENV=x\n")
    outcome = project.run("run", "job", "-p", argument)
    assert outcome.code == INPUT and said in outcome.err, outcome


def test_a_param_without_a_value(project):
    project.job("name: job\nparams: {day: {type: date}}\nops: {go: {command: [echo, '${day}']}}\n")
    outcome = project.run("run", "job")
    assert outcome.code == INPUT and 'param "day" has no value' in outcome.err
    project.run_ok("run", "job", "-p", "day=2026-01-31")
    project.run_ok("check", "job")
    assert project.run("run", "job", "-p", "day=2026-02-30").code == INPUT


def test_locked_config(project):
    project.job("""
name: job
resources: {c: {type: cluster, config: {provider: embedded, region: sa-east-1, n_workers: 2}, locked: [region]}}
ops: {go: {requires: [c], command: ["true"]}}
""")
    run = project.run_ok("run", "job", "--json", "--set", "resources.c.config.n_workers=3").json()
    assert run["config"]["resources"]["c"]["config"]["n_workers"] == 3
    assert run["config"]["resources"]["c"]["origins"]["/n_workers"] == "--set"
    outcome = project.run("run", "job", "--set", "resources.c.config.region=us-east-1")
    assert outcome.code == INPUT and "locked" in outcome.err


def test_secrets_are_not_shown(project):
    project.job("name: job\nops: {go: {command: [sh, -c, 'echo the $0', '${env.DB_PASSWORD}']}}\n")
    outcome = project.run_ok("run", "job", "--json", env={"DB_PASSWORD": "correct-horse"})
    assert "correct-horse" not in outcome.err + outcome.out


def test_secrets_of_params_and_variables_are_not_shown(project):
    project.write(".env", 'SERVICE_TOKEN="tok\\"en-of-env"\n')
    project.write("in.csv", "a\n1\n")
    project.job("""
name: job
params: {password: {type: string}, pin_secret: {type: string, default: "true"}}
ops:
  load: {frames: {t: {read: {csv: in.csv}}}, write: [{frame: t, csv: "out/${password}.csv"}]}
  go: {command: [sh, -c, 'echo $SERVICE_TOKEN $0; exit 1', '${password}']}
""")
    outcome = project.run("run", "job", "-p", "password=hunter22", "--json", "-v")
    assert outcome.code == 1
    run = outcome.json()
    assert run["ops"]["load"]["writes"][0]["published"] is True
    for text in (outcome.err, outcome.out, *(p.read_text() for p in project.path("out").glob("*.run.json"))):
        assert "hunter22" not in text and "en-of-env" not in text, text
    assert "go | *** ***" in outcome.err


def test_new_project_runs_without_any_edit(project):
    project.run_ok("new", "demo")
    assert project.run("new", "demo").code == INPUT
    demo = type(project)(project.path("demo"), project.binary)
    outcome = demo.run_ok("run", "jobs/hello.yaml")
    first = outcome.err.splitlines()
    line = next(text for text in first if text.startswith("read 8"))
    assert line == "read 8 = written 6 + filtered 1 + quarantined 1"
    assert demo.read("out/sales").num_rows == 6 and demo.read("out/sales.quarantine").num_rows == 1
    assert demo.run_ok("check").code == OK


def test_preview(project):
    project.run_ok("new", "demo")
    demo = type(project)(project.path("demo"), project.binary)
    table = demo.run_ok("preview", "hello", "sales", "-n", "2").out.splitlines()
    assert len(table) == 5 and table[0].split()[:2] == ["date", "town"]
    rows = [json.loads(line) for line in demo.run_ok("preview", "hello", "sales", "-n", "2", "--json").out.splitlines()]
    assert [row["town"] for row in rows] == ["Campinas", "Santos"] and rows[0]["total"] == "56.70"
    assert demo.run("preview", "hello", "salse").code == INPUT


def test_explain_shows_both_plans(project):
    project.run_ok("new", "demo")
    demo = type(project)(project.path("demo"), project.binary)
    text = demo.run_ok("explain", "hello").out
    assert text.index("as written:") < text.index("as it runs:")
    assert "as written:" not in demo.run_ok("explain", "hello", "--optimized").out


def test_functions(project):
    assert "split_part(" in project.run_ok("functions", "split_part").out
    assert len(project.run_ok("functions", "--json").json()) > 40
    assert 'did you mean "split_part"?' in project.run("functions", "splitpart").err


def test_doctor(project):
    names = {check["name"] for check in project.run("doctor", "--json").json()["checks"]}
    assert {"arrow", "cores", "memory", "time zones"} <= names


def wait_for(path):
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_running_command_and_its_children(project, number, code):
    job = command_job(project, "sh", "-c", "sleep 60 & echo $! > pid; touch started; wait")
    process = project.start("run", job)
    wait_for(project.path("started"))
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == code
    child = int(project.path("pid").read_text())
    deadline = time.monotonic() + 20
    while is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_second_signal_forces(project):
    job = command_job(project, "sh", "-c", "trap '' INT TERM; touch started; while true; do sleep 0.1; done")
    process = project.start("run", job)
    wait_for(project.path("started"))
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=4)
    assert process.returncode == 130


def test_a_cancelled_run_is_not_tried_again(project):
    job = command_job(project, "sh", "-c", "touch started; sleep 60", retry={"max": 5})
    process = project.start("run", job, "--json")
    wait_for(project.path("started"))
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    run = json.loads(out)
    assert process.returncode == 143 and run["state"] == "cancelled" and run["ops"]["go"]["attempts"] == 1
