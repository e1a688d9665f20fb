"""The same two-op job in Dagster and in Mutirão, in turn: launch to first op, launch to end, memory of idle servers.

    python3 -m venv build/dagster && build/dagster/bin/pip install -r bench/peers/dagster/requirements.txt
    .venv/bin/python bench/peers/dagster/measure.py [--rounds 5] [--bin …] [--dagster build/dagster/bin]

Both are launched through their running server, as a user of each does: `dagster dev` by its GraphQL API, `mutirao serve` by
its socket. Memory is that of a server and its children, some seconds after they came up and before the first launch; a page
that several processes map counts once (Pss).
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import server as ours  # noqa: E402

SETTLE_SECONDS = 10
PATIENCE = 60
LAUNCH = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
LOOK = """query($id: ID!) { runOrError(runId: $id) { ... on Run { status startTime endTime
  stepStats { stepKey startTime endTime } } } }"""


class Dagster:
    name = "dagster"

    def __init__(self, programs):
        self.programs, self.process = programs, None
        self.home = tempfile.mkdtemp(prefix="dagster-bench-")

    def start(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = {**os.environ, "DAGSTER_HOME": self.home, "DAGSTER_DISABLE_TELEMETRY": "1",
                       "PATH": f"{self.programs}:{os.environ['PATH']}"}
        (Path(self.home) / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        self.process = subprocess.Popen([f"{self.programs}/dagster", "dev", "-f", str(HERE / "two_ops.py"), "-h", "127.0.0.1",
                                         "-p", str(self.port)], env=environment, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(600):
            if self.process.poll() is not None:
                sys.exit(f"dagster dev ended with {self.process.returncode}")
            try:
                self.location = self.query("{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError "
                                           "{ ... on RepositoryLocation { name repositories { name } } } } } } }")
                entry = self.location["workspaceOrError"]["locationEntries"][0]["locationOrLoadError"]
                self.location = {"repositoryLocationName": entry["name"], "repositoryName": entry["repositories"][0]["name"]}
                return
            except (OSError, KeyError, IndexError, TypeError):
                time.sleep(0.5)
        sys.exit("dagster dev did not come up")

    def query(self, text, **variables):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/graphql", headers={"Content-Type": "application/json"},
                                         data=json.dumps({"query": text, "variables": variables}).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def once(self):
        begin = time.time()
        selector = {**self.location, "pipelineName": "two"}
        launched = self.query(LAUNCH, p={"selector": selector, "runConfigData": {}})["launchRun"]
        run_id = launched["run"]["runId"]
        while True:
            run = self.query(LOOK, id=run_id)["runOrError"]
            if run["status"] in ("SUCCESS", "FAILURE", "CANCELED"):
                assert run["status"] == "SUCCESS", run
                first = min(step["startTime"] for step in run["stepStats"])
                return first - begin, run["endTime"] - begin
            time.sleep(0.05)

    def processes(self):
        return tree(self.process.pid)

    def close(self):
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


class Mutirao:
    name = "mutirao"

    def __init__(self, binary):
        self.project, self.process = ours.Project(binary), None

    def start(self):
        self.process = self.project.serve()

    def once(self):
        begin = time.time()
        job = str(self.project.folder / "jobs" / "two.yaml")
        run_id = self.project.call([("launch", {"job_file": job})])[0]["result"]["run"]["id"]
        text = self.project.run("events", run_id, "-f", "--json").stdout
        times = {}
        for line in text.splitlines():
            event = json.loads(line)
            times.setdefault(event["type"], datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp())
        return times["op.started"] - begin, times["run.succeeded"] - begin

    def processes(self):
        return tree(self.process.pid)

    def close(self):
        if self.process:
            ours.stop(self.process)
        self.project.__exit__()


def tree(pid):
    """A process and all its descendants. Each thread lists the children that it started."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the thread, or the process, has just ended
            for child in children.read_text().split():
                found += tree(int(child))
    return found


def pss_mb(pids):
    total = 0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                total += int(line.split()[1]) if line.startswith("Pss:") else 0
    return round(total / 1024, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bin", default=str(ROOT / "build" / "release" / "bin" / "mutirao"))
    parser.add_argument("--dagster", default=str(ROOT / "build" / "dagster" / "bin"))
    arguments = parser.parse_args()
    systems = [Mutirao(str(Path(arguments.bin).resolve())), Dagster(Path(arguments.dagster).resolve())]
    with ExitStack() as stack:
        for system in systems:
            stack.callback(system.close)
        for system in systems:
            system.start()
        time.sleep(SETTLE_SECONDS)
        taken = {system.name: [] for system in systems}
        memory = {system.name: pss_mb(system.processes()) for system in systems}
        for _ in range(arguments.rounds):
            for system in systems:
                taken[system.name].append(system.once())
        print(json.dumps({name: {"launch_to_first_op_ms": round(1000 * statistics.median(t[0] for t in times)),
                                 "launch_to_end_ms": round(1000 * statistics.median(t[1] for t in times)),
                                 "idle_pss_mb": memory[name], "rounds": arguments.rounds}
                          for name, times in taken.items()}, indent=2))


if __name__ == "__main__":
    main()
