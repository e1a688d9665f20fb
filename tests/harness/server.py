"""`mutirao serve` for a project, its calls, and the end of everything that it started."""

import json
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress

PATIENCE = 60  # seconds that anything may take on a machine that has much to do


def until(what, patience=PATIENCE):
    """Wait until a function gives something true; gives that."""
    end = time.monotonic() + patience
    while True:
        found = what()
        if found or time.monotonic() > end:
            assert found, "it did not come about in time"
            return found
        time.sleep(0.05)


class Server:
    def __init__(self, project, *arguments, env=None, ready=True, preexec_fn=None):
        self.project = project
        self.errors = open(project.folder / "server.err", "ab")
        self.process = subprocess.Popen([project.binary, "serve", "--json", *arguments], cwd=project.folder,
                                        env=project.environment(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.errors, start_new_session=True, preexec_fn=preexec_fn)
        self.facts = self._ready() if ready else {}

    def _ready(self):
        text = b""
        while True:
            line = self.process.stdout.readline()
            text += line
            if not line:
                raise AssertionError(f"the server ended with {self.process.wait()}: {text.decode()}\n{self.said()}")
            with suppress(json.JSONDecodeError):
                return json.loads(text)

    def said(self):
        return (self.project.folder / "server.err").read_text()

    def stop(self, how=signal.SIGTERM):
        """End it, and wait; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
        self.errors.close()
        return code

    def call(self, method, **params):
        """Call it as docs/formats/control-socket.md says; gives the answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            folder = os.open(self.project.folder / ".mutirao", os.O_PATH)
            connection.connect(f"/proc/self/fd/{folder}/server.sock")
            os.close(folder)
            connection.sendall(json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n")
            return json.loads(connection.makefile().readline())


def runs(project, *arguments):
    return json.loads(project.run_ok("runs", "--json", *arguments).out)


def run(project, run_id):
    return json.loads(project.run_ok("runs", run_id, "--json").out)


def launch(project, *arguments):
    """Launch a job; gives the run's id."""
    return project.run_ok("launch", *arguments).out.strip()


def wait_for(project, run_id, *states):
    states = states or ("succeeded", "failed", "cancelled")
    return until(lambda: (found := run(project, run_id))["state"] in states and found)


def end_workers(project):
    """Kill the workers of a project's runs that still go on: only processes that say so themselves."""
    folder = str(project.folder)
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with suppress(OSError):
            words = open(f"/proc/{entry}/cmdline", "rb").read().split(b"\0")
            if b"run-worker" in words and os.readlink(f"/proc/{entry}/cwd") == folder:
                os.kill(int(entry), signal.SIGKILL)
