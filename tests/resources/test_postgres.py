"""A run waits for a PostgreSQL server, hands it to its commands, and shows its password to nobody."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from harness import store

PASSWORD = "pg-canary-2718281"


def program(name):
    found = shutil.which(name) or next((str(p) for p in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def as_user():
    """PostgreSQL does not run as root."""
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def server():
    """A server with a password; gives its port."""
    # Not below pytest's folder, which each pytest that starts closes to other users.
    folder = Path(tempfile.mkdtemp(prefix="mtr-pg-"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir()
    (folder / "password").write_text(PASSWORD)
    if os.geteuid() == 0:
        for path in (data, folder, folder / "password"):
            shutil.chown(path, "nobody", "nogroup")
    subprocess.run([*as_user(), program("initdb"), "-D", data, "-U", "tester", "-A", "scram-sha-256", "--no-sync",
                    f"--pwfile={folder}/password"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    port = free_port()
    process = subprocess.Popen([*as_user(), program("postgres"), "-D", data, "-p", str(port), "-k", folder, "-c", "fsync=off",
                                "-c", "listen_addresses=127.0.0.1"], stderr=subprocess.DEVNULL, cwd=folder)
    yield port
    process.terminate()
    process.wait(60)
    shutil.rmtree(folder, ignore_errors=True)


def job_for(project, port, **config):
    return project.job({
        "resources": {"db": {"type": "postgres", "config": {
            "port": port, "user": "tester", "password": {"env": "DB_PASS"}, "wait": "60s", **config}}},
        "ops": {"ask": {"command": ["true"], "requires": ["db"]}}})


def test_a_run_waits_until_it_answers(project, server):
    project.run_ok("run", job_for(project, server), env={"DB_PASS": PASSWORD})
    types = store.event_types(project, store.last_run(project)["id"])
    assert "resource.ready" in types and store.leases(project) == []


def test_a_wrong_password_is_told_and_not_shown(project, server):
    outcome = project.run("run", job_for(project, server, wait="1ms"), env={"DB_PASS": "pg-canary-wrong"})
    assert outcome.code == 4, outcome
    assert "no connection to database postgres at 127.0.0.1" in outcome.err
    kept = b"".join(project.path(name).read_bytes() for name in project.files())
    assert b"pg-canary" not in kept and "pg-canary" not in outcome.err


def test_nobody_there_is_told_in_time(project):
    began = time.monotonic()
    outcome = project.run("run", job_for(project, free_port(), wait="100ms"), env={"DB_PASS": PASSWORD})
    assert outcome.code == 4 and "no connection" in outcome.err, outcome
    assert time.monotonic() - began < 60
