"""Providers that can run here do: an existing scheduler, hosts by SSH, a batch system whose commands are scripts. Each is
made, used, closed, and ended by a reaper when its driver was killed."""

import base64
import json
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time

import pytest

from native_side import PATIENCE, PYTHON, ROOT, Driver, environment, wait_until

CONFIG = {"n_workers": 1, "idle_timeout": 600, "worker_timeout": 60}
WAIT = {"workers": 1, "timeout": 100}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def greeted(driver):
    driver.send("hello", protocol=1)
    driver.receive()
    return driver


def start(driver, provider, config, name="mutirao-test", wait=WAIT):
    """Start a cluster; gives the message "started"."""
    greeted(driver).send("start", provider=provider, name=name, config={**CONFIG, **config}, wait=wait)
    message = driver.wait_for("started", "failed_start")
    assert message["type"] == "started", message
    return message


def run_a_task(driver, attempts=1):
    """One that a worker refuses. More attempts where workers may go while it waits."""
    for attempt in range(attempts):
        driver.send("submit", task=f"run/0/0/{attempt}", document='{"version": 99}')
        message = driver.wait_for("failed", "lost")
        if message["type"] == "failed":
            break
    assert message.get("error", {}).get("code") == "unsupported", message


def reap(driver, provider, config, handle, name="mutirao-test"):
    greeted(driver).send("reap", provider=provider, name=name, config={**CONFIG, **config}, handle=handle)
    message = driver.wait_for("reaped", "failed_reap")
    assert message["type"] == "reaped", message
    return message["found"]


def marked(mark):
    """Pids of living processes that have a mark in their environment."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if mark.encode() in file.read():
                        found.append(int(entry))
            except OSError:
                pass
    return found


@pytest.fixture
def mark(tmp_path):
    """A text in the environment of all that a test starts outside its driver; what is left of it ends with the test."""
    text = f"MUTIRAO_TEST_MARK={tmp_path}"
    yield text
    for pid in marked(text):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


# ---- address


@pytest.fixture
def scheduler(build_tree, mark, tmp_path):
    """A scheduler with one worker that belong to somebody else."""
    name, value = mark.split("=", 1)
    env = {**environment(build_tree), name: value}
    address = f"tcp://127.0.0.1:{free_port()}"
    common = dict(env=env, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes = [
        subprocess.Popen([PYTHON, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port",
                          address.rsplit(":", 1)[1], "--no-dashboard"], **common),
        subprocess.Popen([PYTHON, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny",
                          "--no-dashboard", "--host", "127.0.0.1", "--local-directory", tmp_path], **common)]
    yield address, processes
    for process in processes:
        process.kill()
        process.wait()


def test_an_existing_scheduler_is_used_and_never_closed(start_driver, scheduler):
    address, processes = scheduler
    driver = start_driver()
    started = start(driver, "address", {"address": address})
    assert started["handle"]["scheduler"] == address
    run_a_task(driver)
    driver.send("close")
    assert driver.exit_code() == 0
    assert not reap(start_driver(), "address", {"address": address}, started["handle"])
    assert all(process.poll() is None for process in processes)


def test_a_scheduler_that_dies_is_told(start_driver, scheduler):
    address, processes = scheduler
    driver = start_driver()
    start(driver, "address", {"address": address})
    processes[0].kill()
    broken = driver.wait_for("broken")
    assert broken["error"]["code"] == "unavailable" and address in broken["error"]["message"]


def test_a_scheduler_that_is_not_there_fails_the_start(start_driver):
    driver = greeted(start_driver())
    driver.send("start", provider="address", name="x", config={**CONFIG, "address": f"tcp://127.0.0.1:{free_port()}"},
                wait={"workers": 1, "timeout": 2})
    assert driver.wait_for("failed_start", "started")["type"] == "failed_start"


# ---- ssh


@pytest.fixture
def sshd(tmp_path, mark, build_tree):
    """An SSH server of our own on loopback, and the config of a cluster that uses it."""
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    if not os.path.exists(program):
        pytest.skip("openssh-server is not installed")
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key], check=True)
    shutil.copy(tmp_path / "user.pub", tmp_path / "authorized")
    os.chmod(tmp_path / "authorized", stat.S_IRUSR | stat.S_IWUSR)
    port = free_port()
    (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {(tmp_path / 'host.pub').read_text()}")
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nAuthorizedKeysFile {tmp_path}/authorized\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n")
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # what its unit would make
    server = subprocess.Popen([program, "-D", "-e", "-f", tmp_path / "sshd_config"], stderr=subprocess.DEVNULL)
    python = tmp_path / "python"  # the interpreter of the hosts, with the package of this tree
    env = environment(build_tree)
    python.write_text(f"#!/bin/sh\nexport {mark} PYTHONPATH={env['PYTHONPATH']} MUTIRAO_LIBRARY={env['MUTIRAO_LIBRARY']}\n"
                      f"exec {PYTHON} \"$@\"\n")
    python.chmod(0o755)
    wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "the SSH server listens")
    yield {"hosts": ["127.0.0.1", "127.0.0.1"],
           "ssh": {"port": port, "key_file": str(tmp_path / "user"), "known_hosts": str(tmp_path / "known"),
                   "python": str(python)}}
    server.kill()
    server.wait()


def test_hosts_by_ssh(start_driver, sshd, mark):
    driver = start_driver()
    address = start(driver, "ssh", sshd)["handle"]["scheduler"]
    run_a_task(driver)
    assert address.startswith("tls://")
    with pytest.raises(ssl.SSLError, match="(?i)certificate.required|handshake.failure"):
        greet_without_keys(address)
    pids = marked(mark)
    assert len(pids) >= 2
    for pid in [*pids, driver.process.pid]:
        assert b"PRIVATE KEY" not in shown_to_all(pid)
    driver.send("close")
    assert driver.exit_code() == 0
    wait_until(lambda: not marked(mark), "scheduler and workers on the hosts end")


def greet_without_keys(address):
    """Speak TLS with a scheduler as somebody who has no certificate of its authority."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    host, port = address.removeprefix("tls://").rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as plain, context.wrap_socket(plain) as connection:
        connection.recv(1)


def shown_to_all(pid):
    """What of a process others can read: its command line, its environment, and the settings that Dask packs into it."""
    shown = b""
    for name in ("cmdline", "environ"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                shown += file.read() + b"\0"
        except OSError:
            pass  # it ended
    packed = re.findall(rb"DASK_INTERNAL_INHERIT_CONFIG=\"?([A-Za-z0-9_=-]+)", shown)
    return shown + b"".join(base64.urlsafe_b64decode(text) for text in packed)


def test_hosts_end_with_a_driver_that_is_killed(start_driver, sshd, mark):
    driver = start_driver()
    handle = start(driver, "ssh", sshd)["handle"]
    assert marked(mark)
    os.killpg(driver.process.pid, signal.SIGKILL)
    driver.process.wait()
    reaper = start_driver()
    reap(reaper, "ssh", sshd, handle)  # whether it was still there is a matter of moments
    wait_until(lambda: not marked(mark), "scheduler and workers of a dead driver end")
    reaper.send("reap", provider="ssh", name="mutirao-test", config={**CONFIG, **sshd}, handle=handle)
    assert reaper.wait_for("reaped", "failed_reap") == {"type": "reaped", "found": False}


def test_a_process_without_keys_says_so_and_not_what_it_got(build_tree):
    for given in (b"", b"not json PRIVATE KEY\n", b'{"ca": "x"}\n', b"[1]\n"):
        done = subprocess.run([PYTHON, "-m", "mutirao.dask.keyed", "-m", "distributed.cli.dask_spec"], input=given,
                              capture_output=True, env=environment(build_tree), timeout=PATIENCE)
        assert done.returncode == 1 and b"has no keys" in done.stderr and b"PRIVATE" not in done.stderr, done


def test_a_host_that_cannot_be_reached_is_named(start_driver, sshd):
    driver = greeted(start_driver())
    sshd["ssh"]["port"] = free_port()
    driver.send("start", provider="ssh", name="x", config={**CONFIG, **sshd}, wait=WAIT)
    error = driver.wait_for("failed_start")["error"]
    assert "127.0.0.1" in error["message"], error


# ---- batch systems


@pytest.fixture
def slurm(tmp_path, mark, build_tree):
    """sbatch and scancel as scripts: a job is a process, found again by the name in its directives."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sbatch").write_text(f"""#!/bin/sh
echo sbatch >> {tmp_path}/calls
export {mark}
cp "$1" {tmp_path}/script.$$
setsid sh {tmp_path}/script.$$ </dev/null >{tmp_path}/job.log 2>&1 &
sed -n 's/^#SBATCH -J //p' "$1" > {tmp_path}/job.$!
echo "Submitted batch job $!"
""")
    (folder / "scancel").write_text(f"""#!/bin/sh
echo "scancel $*" >> {tmp_path}/calls
case "$1" in
  --name=*) for file in {tmp_path}/job.[0-9]*; do
      [ "$(cat $file)" = "${{1#--name=}}" ] && kill -9 "-${{file##*.}}"; done; true;;
  *) kill -TERM "-$1";;
esac
""")
    for script in folder.iterdir():
        script.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}, tmp_path


def test_a_batch_system(start_driver, slurm, mark, monkeypatch):
    env, folder = slurm
    monkeypatch.chdir(folder)
    driver = start_driver(**env)
    started = start(driver, "slurm", {"worker_memory": 1 << 30, "worker_cores": 1, "walltime": "00:10:00", "queue": "short",
                            "options": {"local_directory": str(folder), "python": str(PYTHON)}})
    run_a_task(driver)
    keys = folder / ".mutirao-test.keys"
    assert started["handle"]["scheduler"].startswith("tls://") and started["handle"]["keys"] == str(keys)
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    files = list(keys.iterdir())
    assert len(files) == 3 and all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    with pytest.raises(ssl.SSLError, match="(?i)certificate.required|handshake.failure"):
        greet_without_keys(started["handle"]["scheduler"])
    assert not any(b"PRIVATE KEY" in shown_to_all(pid) for pid in [*marked(mark), driver.process.pid])
    driver.send("close")
    assert driver.exit_code() == 0
    wait_until(lambda: not marked(mark), "jobs of a closed cluster end")
    assert not keys.exists()
    assert "scancel" in (folder / "calls").read_text()


def test_keys_of_a_driver_that_is_killed_before_its_cluster_is_there(start_driver, slurm, mark, monkeypatch):
    """The first handle says where they will be: whoever has no other finds them, from wherever it looks."""
    env, folder = slurm
    monkeypatch.chdir(folder)
    driver = greeted(start_driver(**env))
    driver.send("start", provider="slurm", name="mutirao-test", config={**CONFIG, "options": {"python": str(PYTHON)}}, wait=WAIT)
    handle = driver.wait_for("made")["handle"]
    assert handle == {"name": "mutirao-test", "keys": str(folder / ".mutirao-test.keys")}
    wait_until((folder / ".mutirao-test.keys").exists, "keys are made")
    os.killpg(driver.process.pid, signal.SIGKILL)
    monkeypatch.chdir("/")
    reap(start_driver(**env), "slurm", {}, handle)
    assert not (folder / ".mutirao-test.keys").exists()
    wait_until(lambda: not marked(mark), "jobs that were submitted meanwhile end")


def test_a_reaper_cancels_jobs_by_name(start_driver, slurm, mark):
    env, folder = slurm
    script = folder / "job.sh"
    script.write_text("#!/bin/sh\n#SBATCH -J mutirao-test\nsleep 600\n")
    subprocess.run(["sbatch", script], env={**os.environ, **env}, check=True, stdout=subprocess.DEVNULL)
    wait_until(lambda: marked(mark), "the job runs")
    keys = folder / "elsewhere" / ".mutirao-test.keys"
    keys.mkdir(parents=True)
    assert reap(start_driver(**env), "slurm", {}, {"name": "mutirao-test", "scheduler": "tls://127.0.0.1:1", "keys": str(keys)})
    assert not keys.exists()
    wait_until(lambda: not marked(mark), "the job ended")
    assert "scancel --name=mutirao-test" in (folder / "calls").read_text()


# ---- somebody's class

OWN_CLASS = '''
from distributed import LocalCluster

class Own:
    def __init__(self, name, workers):
        open("made", "w").write(name)
        self.inner = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1")
        self.scheduler_address = self.inner.scheduler_address
    def close(self):
        open("closed", "w").close()
        self.inner.close()
    @staticmethod
    def reap(name, handle):
        open("reaped", "w").write(name)
        return True

class Unclosable(Own):
    def close(self):
        raise RuntimeError("the cloud says no")

class Impatient(LocalCluster):
    """A cluster that gives a worker up as soon as it dies, as Dask does with one that dies twice at the wrong moments."""
    def __init__(self):
        import dask
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1ms"})
        # A process that does not come up would otherwise be waited for without end, and no other be started meanwhile.
        super().__init__(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", death_timeout=30)

class Stuck(Own):
    def __init__(self, name):
        open("stuck", "w").close()
        import time
        time.sleep(3600)
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text(OWN_CLASS)
    monkeypatch.chdir(tmp_path)
    return {"PYTHONPATH": f"{ROOT / 'python'}:{tmp_path}"}


def test_a_class_of_somebody(start_driver, own, tmp_path):
    driver = start_driver(**own)
    start(driver, "own.Own", {"options": {"workers": 1}})
    run_a_task(driver)
    driver.end_input()
    assert driver.exit_code() == 0
    assert (tmp_path / "made").read_text() == "mutirao-test" and (tmp_path / "closed").exists()
    assert reap(start_driver(**own), "own.Own", {}, None) and (tmp_path / "reaped").read_text() == "mutirao-test"


def test_a_cluster_that_could_not_be_closed_is_not_told_as_closed(start_driver, own):
    driver = start_driver(**own)
    start(driver, "own.Unclosable", {"options": {"workers": 1}})
    driver.send("close")
    told = []
    while (message := driver.receive()) is not None:
        told.append(message["type"])
    assert "closed" not in told
    assert driver.exit_code() == 1 and "the cloud says no" in driver.errors()


def test_a_worker_that_its_cluster_gave_up_is_replaced(start_driver, own):
    driver = greeted(start_driver(**own))
    driver.send("start", provider="own.Impatient", name="x", config={**CONFIG, "n_workers": 2}, wait={"workers": 2, "timeout": 100})
    workers = [driver.wait_for("worker") for _ in range(2)]
    driver.wait_for("started")
    for worker in workers:
        os.kill(worker["pid"], signal.SIGKILL)
    gone = {worker["worker"] for worker in workers}
    told = {"worker": set(), "worker_gone": set()}  # in whatever order they come
    while not (gone <= told["worker_gone"] and len(told["worker"] - told["worker_gone"]) >= 2):
        message = driver.wait_for(*told)
        told[message["type"]].add(message["worker"])
    # A worker that came by itself may be given up once more.
    run_a_task(driver, attempts=5)


def test_wrong_arguments_for_a_class_are_told(start_driver, own):
    driver = greeted(start_driver(**own))
    driver.send("start", provider="own.Own", name="x", config={**CONFIG, "options": {"wurkers": 1}}, wait=WAIT)
    error = driver.wait_for("failed_start")["error"]
    assert error["code"] == "invalid" and "wurkers" in error["message"]


def test_a_provider_that_hangs_fails_the_start_in_time(start_driver, own, tmp_path):
    driver = greeted(start_driver(**own))
    driver.send("start", provider="own.Stuck", name="x", config=CONFIG, wait={"workers": 1, "timeout": 1})
    assert driver.wait_for("failed_start")["error"]["code"] == "deadline"
    driver.end_input()
    assert driver.exit_code() == 0 and (tmp_path / "reaped").exists()


def test_a_provider_that_hangs_does_not_keep_the_driver(start_driver, own, tmp_path):
    driver = greeted(start_driver(**own))
    driver.send("start", provider="own.Stuck", name="x", config=CONFIG, wait=WAIT)
    wait_until((tmp_path / "stuck").exists, "the class is being made")
    driver.end_input()
    assert driver.exit_code() == 0
    assert (tmp_path / "reaped").exists(), "what may have been made is ended by name"
