"""The native side of the driver's protocol, scripted."""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

# Those that take long for what they add are run by `make faults`.
slow = pytest.mark.skipif(not os.environ.get("MUTIRAO_SLOW_TESTS"), reason="slow; make faults runs it")

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "bin" / "python"
PATIENCE = 120  # seconds; for a slow, loaded machine


def environment(build):
    return {**os.environ, "PYTHONPATH": str(ROOT / "python"), "MUTIRAO_LIBRARY": str(build / "lib" / "libmutirao.so")}


class Driver:
    """A driver's process, and both ends of its pipes."""

    def __init__(self, build, extra_env=None):
        their_in, self.out_fd = os.pipe()
        self.in_fd, their_out = os.pipe()
        self.process = subprocess.Popen(
            [PYTHON, "-m", "mutirao.dask", "--in", str(their_in), "--out", str(their_out)],
            pass_fds=(their_in, their_out), stderr=subprocess.PIPE,
            env={**environment(build), "PYTHONFAULTHANDLER": "1", **(extra_env or {})},
            start_new_session=True)
        os.close(their_in)
        os.close(their_out)
        self.buffer = b""

    def send_bytes(self, data):
        os.write(self.out_fd, data)

    def send(self, type, **members):
        self.send_bytes(json.dumps({"type": type, **members}).encode() + b"\n")

    def end_input(self):
        if self.out_fd >= 0:
            os.close(self.out_fd)
        self.out_fd = -1

    def receive(self):
        """The next message; None at the end."""
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.in_fd], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"the driver is silent:\n{self.stacks()}"
            data = os.read(self.in_fd, 65536)
            if not data:
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def wait_for(self, *types):
        """The next message of one of these types; others are passed over."""
        while True:
            message = self.receive()
            assert message is not None, f"the driver ended before {types}: {self.errors()}, exit code {self.process.returncode}"
            if message["type"] in types:
                return message
            assert message["type"] != "broken", message

    def stacks(self):
        """Where each of its threads is, and what it wrote to its errors. Ends it."""
        self.process.send_signal(signal.SIGABRT)
        self.process.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its workers write there too
        return self.errors()

    def errors(self):
        self.process.wait(PATIENCE)
        return self.process.stderr.read().decode()

    def exit_code(self):
        return self.process.wait(PATIENCE)

    def close(self):
        self.end_input()
        os.close(self.in_fd)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        self.process.stderr.close()


def processes_of(session):
    """Pids of living processes of a session."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry))
    return found


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)
