"""What a reaper does about a cluster whose driver is gone, or is not yet: the providers by themselves, where whoever is
in the way is a process or a socket of the test."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from native_side import PATIENCE, ROOT, processes_of, wait_until

sys.path.insert(0, str(ROOT / "python"))

from mutirao.dask import providers  # noqa: E402
from mutirao.dask.keys import Authority  # noqa: E402
from mutirao.dask.providers import local  # noqa: E402
from mutirao.dask.providers import ssh as by_ssh  # noqa: E402

NAME = "mutirao-20260101-000000-0123abcd-compute-1"
CONFIG = {"n_workers": 2, "idle_timeout": 1200, "worker_timeout": 60}


# ---- local

WRITE = """
import os, sys, time
folder, end, number = sys.argv[1], time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < end and os.path.exists(folder):
    try:
        os.mkdir(f"{folder}/{number}")
        open(f"{folder}/{number}/spilled", "w").close()
    except FileNotFoundError:
        pass  # somebody removes it
    number += 1
    time.sleep(0.001)
"""
# Has another process write, as a driver has its workers.
LEAD = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / f"{NAME}-abcd1234"
    made.mkdir()
    return made


@pytest.fixture
def spawn(folder):
    """Start Python code, at the head of a session, and wait until it writes into the folder."""
    started = []

    def start(*code):
        started.append(subprocess.Popen([sys.executable, "-c", *code], start_new_session=True))
        wait_until(lambda: os.listdir(folder), "it writes")
        return started[-1]

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def reap(handle, name=NAME):
    return providers.make("local", name, CONFIG).reap(handle)


def test_a_living_driver_ends_with_its_workers_and_the_folder_goes(folder, spawn):
    driver = spawn(LEAD, WRITE, str(folder), "600")
    assert reap({"pid": driver.pid, "started": local._start_time(driver.pid), "folder": str(folder)})
    assert not folder.exists() and driver.wait(PATIENCE) == -signal.SIGKILL
    wait_until(lambda: not processes_of(driver.pid), "what it started ends with it")


def test_a_folder_goes_although_workers_write_yet(folder, spawn):
    spawn(WRITE, str(folder), "1")
    assert not reap({"pid": 1, "started": -1, "folder": str(folder)}), "that process is another one"
    assert not folder.exists()


def test_a_folder_that_stays_is_an_error(folder, monkeypatch):
    monkeypatch.setattr(local, "REMOVE_SECONDS", 0.1)
    monkeypatch.setattr(local.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(providers.ProviderError, match="cannot be removed") as raised:
        reap({"folder": str(folder)})
    assert raised.value.code == "i/o" and str(folder) in str(raised.value)


def test_folders_of_a_name_are_found_without_a_handle(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    others = [f"{NAME}-abc", f"{NAME}-abcd12345", f"{NAME}0-abcd1234", "x-abcd1234"]
    for other in others:
        (tmp_path / other).mkdir()
    (tmp_path / f"{NAME}-linked00").symlink_to(tmp_path / others[0])
    assert not reap(None)
    assert sorted(os.listdir(tmp_path)) == sorted([*others, f"{NAME}-linked00"])


# ---- ssh


@pytest.fixture
def listen():
    """A port on which every connection is answered by a function of it; gives its address."""
    servers = []

    def start(answer):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve():
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with suppress(OSError), connection:
                        answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        return f"tls://127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in servers:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        server.close()


@pytest.fixture
def scheduler(listen, tmp_path):
    """What shows a certificate of an authority, and its fingerprint."""
    certificate, key = Authority(NAME).issue("scheduler")
    (tmp_path / "pem").write_text(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    return listen(lambda connection: context.wrap_socket(connection, server_side=True).close()), by_ssh.fingerprint(certificate)


def reap_by_ssh(address, certificate, monkeypatch):
    pytest.importorskip("asyncssh")
    monkeypatch.setattr(by_ssh, "REAP_SECONDS", 0.2)
    monkeypatch.setattr(by_ssh, "ANSWER_SECONDS", 5)
    handle = {"name": NAME, "scheduler": address, "certificate": certificate}
    return providers.make("ssh", NAME, {**CONFIG, "hosts": ["a", "b"]}).reap(handle)


def test_a_scheduler_that_stays_is_an_error_and_another_is_not(scheduler, monkeypatch):
    address, certificate = scheduler
    with pytest.raises(providers.ProviderError, match="is still there"):
        reap_by_ssh(address, certificate, monkeypatch)
    assert not reap_by_ssh(address, "another", monkeypatch)


def test_a_port_of_nobody_or_of_another_program_means_that_it_is_gone(listen, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"tls://127.0.0.1:{closed.getsockname()[1]}"
    assert not reap_by_ssh(address, "known", monkeypatch)
    plain = listen(lambda connection: (connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), connection.recv(4096)))
    assert not reap_by_ssh(plain, "known", monkeypatch)


def test_a_network_that_is_away_does_not_mean_that_a_scheduler_is_gone(listen, monkeypatch):
    address = listen(lambda connection: connection.recv(1))  # ends amid the greeting
    with pytest.raises(providers.ProviderError, match="does not say whether it is still there") as raised:
        reap_by_ssh(address, "known", monkeypatch)
    assert raised.value.code == "unavailable" and address in str(raised.value)
