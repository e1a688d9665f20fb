"""Commands of ops: what they get, what is kept of their output, and how they end."""

import json
import signal
import sys
import time

import pytest

from harness.memory_group import memory_group

OK, FAILED, INPUT = 0, 1, 3


def job(project, *argv, **op):
    return project.job({"ops": {"go": {"command": list(map(str, argv)), **op}}})


def go(project, path, code=OK, **options):
    outcome = project.run("run", path, "--json", **options)
    assert outcome.code == code, outcome
    return outcome.json()["ops"]["go"], outcome


def wait_for(path, seconds=60):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)


def is_alive(pid):
    try:
        return "Z" not in open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def test_environment_and_folder(project):
    project.write("sub/here", "")
    path = job(project, "sh", "-c", "ls; echo $A $MUTIRAO_OP $MUTIRAO_ATTEMPT", cwd="sub", env={"A": "${job.name}-1"})
    op, _ = go(project, path)
    assert op["stdout_tail"] == "here\njob-1 go 1\n"


def test_a_flood_neither_blocks_nor_fills_memory(project):
    """100 MB of lines and then the end, which is what one wants to see."""
    line = "x" * 99
    outcome = project.run("run", job(project, "sh", "-c", f"yes {line} | head -c 100000000; echo the end"), "--json", timeout=500)
    assert outcome.code == OK, outcome.err[-2000:]
    run = outcome.json()
    op = run["ops"]["go"]
    assert op["stdout_tail"].endswith("the end\n") and len(op["stdout_tail"]) < 20_000
    assert op["log"]["bytes"] == 100_000_008 and op["log"]["lines"] == 1_000_001
    assert op["log"]["bytes_left_out"] > 75_000_000
    assert len(outcome.err) < 40_000_000, "what is shown is bounded too"
    assert run["peak_memory_bytes"] < 600_000_000


def test_a_long_line_and_a_progress_bar(project):
    script = "head -c 10000000 /dev/zero | tr '\\0' 'x'; echo; printf '10 %%\\r50 %%\\r100 %%\\ndone'"
    op, outcome = go(project, job(project, "sh", "-c", script))
    lines = op["stdout_tail"].splitlines()
    assert lines[-2:] == ["100 %", "done"]
    assert "bytes of this line left out" in outcome.err and len(outcome.err) < 200_000


def test_secrets_in_every_form_and_cut_in_pieces(project):
    secret = "s3cr3t/with+signs"
    script = ("import base64, os, sys, time, urllib.parse\ns = os.environ['THE_TOKEN']\n"
              "def say(t):\n  for i in range(0, len(t), 5):\n    os.write(1, t[i:i+5].encode()); time.sleep(0.002)\n"
              "say('plain ' + s + '\\nurl ' + urllib.parse.quote(s, safe='') + '\\nbasic ' + "
              "base64.b64encode(('user:' + s).encode()).decode() + '\\nalone ' + base64.b64encode(s.encode()).decode() + '\\n')")
    op, outcome = go(project, job(project, sys.executable, "-c", script, env={"THE_TOKEN": secret}))
    plain, url, basic, alone = op["stdout_tail"].splitlines()
    assert (plain, url) == ("plain ***", "url ***")
    for line in (basic, alone):
        assert "***" in line and len(line) < 24
    assert secret not in json.dumps(outcome.json()) + outcome.err


@pytest.mark.parametrize("script, said", [
    ("kill -SEGV $$", "killed by SIGSEGV"), ("kill -KILL $$", "killed by SIGKILL"),
    ("sh -c 'kill -TERM $$'; exit $?", "exit code 143 (as shells do for a program that was killed by SIGTERM)"),
    ("echo why >&2; exit 9", "exit code 9; it last said: why")])
def test_how_it_ended(project, script, said):
    op, _ = go(project, job(project, "sh", "-c", script), FAILED)
    assert said in op["error"]["message"]


def test_nothing_of_a_command_is_left_when_it_ended(project):
    op, _ = go(project, job(project, "sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!"))
    assert not is_alive(int(op["stdout_tail"]))


def test_a_stop_interrupts_first(project):
    script = ("import signal, sys, time\n"
              "def end(*_):\n  print('tidied up', flush=True); sys.exit(0)\n"
              "signal.signal(signal.SIGINT, end)\nopen('started', 'w').close()\ntime.sleep(600)")
    process = project.start("run", job(project, sys.executable, "-c", script))
    wait_for(project.path("started"))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143 and b"tidied up" in err


def test_out_of_memory_is_told_as_such(project):
    job(project, sys.executable, "-c", "x = bytearray(b'x') * (4 << 30)")
    with memory_group(512 << 20) as group:
        outcome = project.run("run", "job", "--json", timeout=300, preexec_fn=group.enter)
    op = outcome.json()["ops"]["go"]
    assert op["signal"] == "SIGKILL", op
    assert op["error"]["message"].endswith("ran out of memory: cgroup limit 512 MiB") and op["error"]["code"] == "exhausted"
