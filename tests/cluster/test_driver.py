"""The driver against a scripted native side: what it does with messages that are late, wrong or cut, and with ends."""

import json
import os
import signal
import subprocess

import pytest

from native_side import PATIENCE, PYTHON, processes_of, wait_until

LOCAL = {"provider": "local", "config": {"n_workers": 2, "idle_timeout": 600, "worker_timeout": 60},
         "wait": {"workers": 2, "timeout": 100}}


@pytest.fixture
def greeted(start_driver):
    driver = start_driver()
    driver.send("hello", protocol=1, version="0")
    assert driver.receive()["protocol"] == 1
    return driver


@pytest.mark.parametrize("line", [b"not json\n", b'{"type": 7}\n', b"\xff\xfe\n", b'{"type": "submit"}\n',
                                  b'{"type": "submit", "task": "a/0/0/0", "document": "{}"}\n'])
def test_ends_and_says_why_after_garbage(greeted, line):
    greeted.send_bytes(line)
    broken = greeted.wait_for("broken")
    assert broken["error"]["message"]
    assert greeted.exit_code() == 1


@pytest.mark.parametrize("first", [{"type": "hello", "protocol": 99}, {"type": "start"}, {"type": "hello"}])
def test_refuses_another_protocol(start_driver, first):
    driver = start_driver()
    driver.send_bytes(json.dumps(first).encode() + b"\n")
    assert "this driver speaks 1" in driver.wait_for("broken")["error"]["message"]
    assert driver.exit_code() == 1


def test_half_a_line_at_the_end_counts_for_nothing(greeted):
    greeted.send_bytes(b'{"type": "start", "prov')
    greeted.end_input()
    assert greeted.receive() == {"type": "closed"}
    assert greeted.receive() is None
    assert greeted.exit_code() == 0


def test_takes_a_message_in_pieces(greeted):
    for byte in json.dumps({"type": "start", "provider": "nothing", "name": "x", "config": {},
                            "wait": {"workers": 1, "timeout": 1}}).encode() + b"\n":
        greeted.send_bytes(bytes([byte]))
    failed = greeted.wait_for("failed_start")
    assert 'no cluster provider "nothing"' in failed["error"]["message"] and failed["error"]["code"] == "invalid"


def test_ends_on_sigterm_and_when_nobody_reads(start_driver):
    for end in ("signal", "reader"):
        driver = start_driver()
        driver.send("hello", protocol=1)
        driver.receive()
        if end == "signal":
            driver.process.send_signal(signal.SIGTERM)
        else:
            os.close(driver.in_fd)
            driver.in_fd = os.open("/dev/null", os.O_RDONLY)
            driver.send("start", provider="nothing", name="x", config={}, wait={"workers": 1, "timeout": 1})
        assert driver.exit_code() == 0


def test_a_missing_class_of_somebody_is_named(greeted):
    greeted.send("start", provider="no.such.Cluster", name="x", config={"n_workers": 1}, wait={"workers": 1, "timeout": 1})
    error = greeted.wait_for("failed_start")["error"]
    assert "no.such.Cluster" in error["message"] and error["code"] == "not found"


def test_runs_tasks_and_leaves_no_process(greeted):
    greeted.send("start", name="mutirao-test", **LOCAL)
    workers = [greeted.wait_for("worker") for _ in range(2)]
    assert all(w["slots"] == 1 and w["build"]["abi"] == 4 and w["memory_limit"] > w["task_memory"] > 0 for w in workers)
    started = greeted.wait_for("started")
    assert started["handle"]["name"] == "mutirao-test" and started["dashboard"].startswith("http://127.0.0.1:")

    here = __file__
    greeted.send("check", token="t", files=[{"path": here, "size": os.path.getsize(here)}, {"path": here, "size": 1},
                                            {"path": "/nowhere", "text": "t"}, {"path": here, "text": "t"}])
    checked = greeted.wait_for("checked")
    assert checked["token"] == "t" and len(checked["workers"]) == 2
    for found in checked["workers"].values():
        assert found[0] == "" and "instead of 1" in found[1] and "No such file" in found[2] and "another text" in found[3]

    for number in range(40):
        greeted.send("submit", task=f"run/0/{number}/0", document='{"version": 99}', avoid=[workers[0]["worker"]])
    ended = {}
    running = set()
    while len(ended) < 40:
        message = greeted.wait_for("running", "done", "failed", "lost", "cancelled")
        if message["type"] == "running":
            running.add(message["task"])
        else:
            assert message["task"] not in ended
            ended[message["task"]] = message
    assert all(m["type"] == "failed" and m["error"]["code"] == "unsupported" for m in ended.values())
    assert len(running) >= 1

    session = greeted.process.pid
    assert len(processes_of(session)) >= 3
    greeted.send("close")
    assert greeted.wait_for("closed")
    assert greeted.exit_code() == 0
    wait_until(lambda: not processes_of(session), "workers of a closed cluster end")


def test_a_local_cluster_lets_in_nobody_without_its_keys(greeted):
    greeted.send("start", name="mutirao-test", **{**LOCAL, "config": {**LOCAL["config"], "n_workers": 1},
                                                 "wait": {"workers": 1, "timeout": 100}})
    address = greeted.wait_for("started")["handle"]["scheduler"]
    assert address.startswith("tls://127.0.0.1:")
    for security in ("None", "Security.temporary()"):
        reaching = subprocess.run([PYTHON, "-c", (
            "import sys; from distributed import Client; from distributed.security import Security\n"
            f"try: Client('{address if security != 'None' else address.replace('tls', 'tcp')}', security={security}, timeout=3)\n"
            "except (OSError, TimeoutError): sys.exit(7)")], capture_output=True, timeout=PATIENCE)
        assert reaching.returncode == 7, reaching.stderr.decode()
    for pid in processes_of(greeted.process.pid):
        for where in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{where}", "rb") as file:
                assert b"PRIVATE KEY" not in file.read()


@pytest.mark.parametrize("told", ["made", "started"])
def test_a_driver_that_is_killed_takes_its_workers_with_it(greeted, start_driver, told):
    greeted.send("start", name="mutirao-test", **LOCAL)
    handle = greeted.wait_for(told)["handle"]
    if told == "made":
        assert "scheduler" not in handle, "it is told before there is anything"
        wait_until(lambda: os.path.exists(handle["folder"]), "it makes the folder of its workers")
    session = greeted.process.pid
    greeted.process.kill()
    greeted.process.wait()
    wait_until(lambda: not processes_of(session), "workers of a dead driver end")
    reaper = start_driver()
    reaper.send("hello", protocol=1)
    reaper.send("reap", provider="local", name="mutirao-test", config=LOCAL["config"], handle=handle)
    reaper.wait_for("reaped")
    assert not os.path.exists(handle["folder"])


def test_what_is_made_when_the_run_goes_is_closed(greeted):
    greeted.send("start", name="mutirao-test", **LOCAL)
    folder = greeted.wait_for("made")["handle"]["folder"]
    greeted.end_input()
    assert greeted.wait_for("closed")
    assert greeted.exit_code() == 0 and not os.path.exists(folder)
