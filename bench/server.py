"""The figures of a server: runs through the queue, memory and CPU when idle, listings of large stores.

    .venv/bin/python bench/server.py [--bin build/release/bin/mutirao] [--runs 1000] [--rows 10000] [--events 100000]
                                     [--log-mb 1000] [--only queue,idle,listing,waiting,events,logs]

Each part makes a project in a folder of its own and removes it. One JSON document comes out.
"""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TWO_OPS = """\
name: two
ops:
  first: {command: ["true"]}
  second: {after: [first], command: ["true"]}
"""


class Project:
    def __init__(self, binary, settings="name: bench\n", job=TWO_OPS):
        self.binary, self.folder = binary, Path(tempfile.mkdtemp(prefix="mutirao-bench-", dir=os.environ.get("BENCH_DIR")))
        (self.folder / "jobs").mkdir()
        (self.folder / "mutirao.yaml").write_text(settings)
        (self.folder / "jobs" / "two.yaml").write_text(job)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments, **options):
        return subprocess.run([self.binary, *arguments], cwd=self.folder, capture_output=True, text=True, **options)

    def serve(self):
        server = subprocess.Popen([self.binary, "serve", "--json"], cwd=self.folder, stdout=subprocess.PIPE,
                                  stderr=open(self.folder / "server.err", "wb"), text=True, start_new_session=True)
        text = ""
        while not text.rstrip().endswith("}"):
            line = server.stdout.readline()
            if not line:
                sys.exit(f"the server ended: {(self.folder / 'server.err').read_text()}")
            text += line
        return server

    def call(self, calls):
        """Send calls over one connection; gives the answers."""
        import socket
        with socket.socket(socket.AF_UNIX) as connection:
            folder = os.open(self.folder / ".mutirao", os.O_PATH)
            connection.connect(f"/proc/self/fd/{folder}/server.sock")
            os.close(folder)
            lines, answers = connection.makefile("r"), []
            for method, params in calls:
                connection.sendall(json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n")
                answers.append(json.loads(lines.readline()))
            return answers

    def timed(self, *arguments, times=7):
        """Median milliseconds of a whole command, output read, and its peak memory in MB."""
        taken = []
        for _ in range(times):
            begin = time.perf_counter()
            subprocess.run([self.binary, *arguments], cwd=self.folder, stdout=subprocess.DEVNULL, check=True)
            taken.append((time.perf_counter() - begin) * 1000)
        measured = subprocess.run(["/usr/bin/env", "python3", "-c", MEASURE, self.binary, *arguments], cwd=self.folder,
                                  capture_output=True, text=True)
        return {"ms": round(statistics.median(taken), 1), "peak_mb": round(float(measured.stdout.split()[-1]) / 1024, 1)}


MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def stop(server):
    server.send_signal(signal.SIGTERM)
    server.wait(timeout=60)


def queue(binary, count):
    """Two-op runs launched at once, until the last has ended."""
    with Project(binary, "queue: {max_runs: 4}\n") as project:
        server = project.serve()
        begin = time.perf_counter()
        job = str(project.folder / "jobs" / "two.yaml")
        answers = project.call([("launch", {"job_file": job})] * count)
        launched = time.perf_counter() - begin
        assert all("result" in answer for answer in answers), answers[0]
        database = sqlite3.connect(f"file:{project.folder}/.mutirao/mutirao.db?mode=ro", uri=True)
        while True:
            states = dict(database.execute("SELECT state, count(*) FROM runs GROUP BY state"))
            if set(states) <= {"succeeded", "failed", "cancelled"}:
                break
            time.sleep(0.2)
        taken = time.perf_counter() - begin
        assert set(states) == {"succeeded"}, states
        stop(server)
        return {"runs": count, "states": states, "launch_seconds": round(launched, 2), "seconds": round(taken, 2)}


def idle(binary, seconds=30):
    """Memory (all resident pages, those of files too) and CPU of a server with one schedule and nothing to do."""
    schedule = TWO_OPS + 'schedules: [{name: yearly, cron: "0 0 1 1 *"}]\n'
    with Project(binary, job=schedule) as project:
        server = project.serve()
        time.sleep(3)

        def cpu():
            fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        before = cpu()
        time.sleep(seconds)
        used = cpu() - before
        sizes = dict(line.split(":") for line in Path(f"/proc/{server.pid}/smaps_rollup").read_text().splitlines()[1:])
        stop(server)
        return {"rss_mb": round(int(sizes["Rss"].split()[0]) / 1024, 1),
                "pss_mb": round(int(sizes["Pss"].split()[0]) / 1024, 1),
                "cpu_percent": round(100 * used / seconds, 3), "seconds": seconds}


def grow(project, table, rows, change):
    """Copy the rows of one run's table so often, with keys of their own."""
    database = sqlite3.connect(project.folder / ".mutirao" / "mutirao.db")
    database.row_factory = sqlite3.Row
    columns = [row["name"] for row in database.execute(f"PRAGMA table_info({table})")]
    row = dict(database.execute(f"SELECT * FROM {table} LIMIT 1").fetchone())
    marks = ", ".join("?" for _ in columns)
    database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",
                         ([{**row, **change(i)}[name] for name in columns] for i in range(rows)))
    database.commit()


def listing(binary, rows):
    with Project(binary) as project:
        project.run("run", "two", check=True)
        grow(project, "runs", rows, lambda i: {"id": f"20250101-{i // 3600 % 24:02}{i // 60 % 60:02}{i % 60:02}-{i:08x}",
                                               "place": 100 + i})
        return {"rows": rows, "runs": project.timed("runs"), "runs_of_job": project.timed("runs", "--job", "two"),
                "failed_runs": project.timed("runs", "--state", "failed"), "version": project.timed("version")}


def waiting(binary, rows):
    """As listing, but nine of ten runs wait, each with its reason."""
    with Project(binary, "queue: {max_runs: 0}\n") as project:
        project.run("run", "two", check=True)
        grow(project, "runs", rows, lambda i: {"id": f"20250101-{i // 3600 % 24:02}{i // 60 % 60:02}{i % 60:02}-{i:08x}",
                                               "place": 100 + i, **({"state": "queued", "ended": None} if i % 10 else {})})
        return {"rows": rows, "runs": project.timed("runs")}


REPORTS = """
import json, os, sys
params = json.loads(__import__("zlib").decompress(__import__("base64").b64decode(os.environ["DAGSTER_PIPES_MESSAGES"])))
def line(method, params):
    return json.dumps({"__dagster_pipes_version": "0.1", "method": method, "params": params}) + "\\n"
with open(params["path"], "a") as file:
    file.write(line("opened", {"extras": {}}))
    for i in range(int(sys.argv[1])):
        file.write(line("report_custom_message", {"payload": {"row": i, "text": "what a program says while it works"}}))
    file.write(line("closed", {}))
"""
A_LINE = "a line of some length, as programs print them when they say what they do\n"


def folder_mb(folder):
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6, 1)


def measured_run(project):
    """Run the job; seconds, and the peak memory of any process that took part, in MB."""
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", MEASURE, project.binary, "run", "two", "-q"], cwd=project.folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return {"seconds": round(time.perf_counter() - begin, 1), "peak_mb": round(float(done.stdout.split()[-1]) / 1024, 1)}


def events(binary, rows, an_op=5_000):
    """A run whose ops report so many events, and reading them."""
    ops = {f"op{i}": {"command": [sys.executable, "-c", REPORTS, str(an_op)]} for i in range(rows // an_op)}
    with Project(binary, job=json.dumps({"name": "two", "ops": ops})) as project:
        run = measured_run(project)
        database = sqlite3.connect(project.folder / ".mutirao" / "mutirao.db")
        stored = database.execute("SELECT max(number) FROM events").fetchone()[0]
        return {"events": stored, "run": run, "disk_mb": folder_mb(project.folder / ".mutirao"),
                "all": project.timed("events", "latest", times=3),
                "last_page": project.timed("events", "latest", "--after", str(stored - 50)),
                "runs": project.timed("runs", "latest")}


def logs(binary, megabytes):
    """A run whose command prints so much, and reading what was kept of it."""
    lines = megabytes * 1_000_000 // len(A_LINE)
    script = f"yes {A_LINE.strip()!r} | head -n {lines}"
    with Project(binary, job=json.dumps({"name": "two", "ops": {"first": {"command": ["sh", "-c", script]}}})) as project:
        run = measured_run(project)
        return {"mb": megabytes, "run": run, "disk_mb": folder_mb(project.folder / ".mutirao"),
                "all": project.timed("logs", "latest", times=3), "tail": project.timed("logs", "latest", "--tail", "64"),
                "runs": project.timed("runs")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "build" / "release" / "bin" / "mutirao"))
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=10000)
    parser.add_argument("--events", type=int, default=100000)
    parser.add_argument("--log-mb", type=int, default=1000)
    parser.add_argument("--only", default="queue,idle,listing,waiting,events,logs")
    arguments = parser.parse_args()
    arguments.bin = str(Path(arguments.bin).resolve())
    parts = {"queue": lambda: queue(arguments.bin, arguments.runs), "idle": lambda: idle(arguments.bin),
             "listing": lambda: listing(arguments.bin, arguments.rows),
             "waiting": lambda: waiting(arguments.bin, arguments.rows),
             "events": lambda: events(arguments.bin, arguments.events),
             "logs": lambda: logs(arguments.bin, arguments.log_mb)}
    print(json.dumps({name: parts[name]() for name in arguments.only.split(",")}, indent=2))


if __name__ == "__main__":
    main()
