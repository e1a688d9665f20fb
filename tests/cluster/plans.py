"""The program cluster_plans: a cluster, and plans that run on it and in one process."""

import json
import queue
import subprocess
import threading

from native_side import PATIENCE, environment


class Cluster:
    """A started cluster. `events` has everything that was told so far."""

    def __init__(self, build, n_workers=2, provider="local", workers=None, name="mutirao-test", python="", env=None, **config):
        self.process = subprocess.Popen([build / "bin" / "cluster_plans"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**environment(build), **(env or {})}, start_new_session=True)
        self.events = []
        self.answers = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        config = {"n_workers": n_workers, "idle_timeout": 600, "worker_timeout": 60, "worker_memory": 1 << 30, **config}
        self.started = self.ask({"start": {"provider": provider, "config": config, "workers": workers or n_workers, "python": python,
                                           "name": name}})

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            (self.events.append if "event" in message else self.answers.put)(message)
        self.answers.put({"error": "the program ended", "code": "ended"})

    def tell(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def begin(self, **plan):
        self.tell(json.dumps(plan))

    def answer(self, patience=2 * PATIENCE):  # longer than a plan waits for a worker: its error says more
        return self.answers.get(timeout=patience)

    def ask(self, line):
        self.tell(json.dumps(line))
        return self.answer()

    def run(self, **plan):
        return self.ask(plan)

    def of_kind(self, kind):
        return [event for event in list(self.events) if event["event"] == kind]

    def worker_pids(self):
        gone = {event["worker"] for event in self.of_kind("worker_gone")}
        return {event["worker"]: event["pid"] for event in self.of_kind("worker_added") if event["worker"] not in gone}

    def close(self):
        """End the program as its user would; gives its exit code."""
        if self.process.stdin and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.reader.join(PATIENCE)
        self.process.stdout.close()
        return code
