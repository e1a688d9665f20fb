"""A project folder and the program run in it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import yaml

# What a user's shell could hold and a test must not depend on.
CLEARED = ("NO_COLOR", "TERM")


@dataclass
class Outcome:
    """How a call of the program ended."""

    code: int
    out: str
    err: str

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Project:
    def __init__(self, folder, binary):
        self.folder = Path(folder)
        self.binary = Path(binary)

    def path(self, name):
        return self.folder / name

    def write(self, name, content):
        """Write a file of the project; gives its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
        return path

    def job(self, definition, name="job"):
        """Write jobs/<name>.yaml from text or from a mapping; gives its path relative to the project."""
        if not isinstance(definition, str):
            definition = yaml.safe_dump({"name": name, **definition}, sort_keys=False, allow_unicode=True)
        self.write(f"jobs/{name}.yaml", definition)
        return f"jobs/{name}.yaml"

    def environment(self, extra=None):
        env = {k: v for k, v in os.environ.items() if k not in CLEARED and not k.startswith("MUTIRAO_")}
        return {**env, "NO_COLOR": "1", **(extra or {})}

    def run(self, *arguments, stdin=None, env=None, timeout=120, preexec_fn=None):
        """Run the program in the project's folder and wait for it."""
        done = subprocess.run([self.binary, *map(str, arguments)], cwd=self.folder, input=stdin, capture_output=True,
                              env=self.environment(env), timeout=timeout, preexec_fn=preexec_fn)
        return Outcome(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    def start(self, *arguments, env=None):
        """Start the program in the project's folder, in a process group of its own."""
        return subprocess.Popen([self.binary, *map(str, arguments)], cwd=self.folder, env=self.environment(env),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True)

    def run_ok(self, *arguments, **options):
        """Run the program and fail the test when it does not succeed."""
        outcome = self.run(*arguments, **options)
        assert outcome.code == 0, outcome
        return outcome

    def read(self, name):
        """Read a Parquet file or dataset of the project (Hive partitions as strings) as a pyarrow table."""
        path = self.folder / name
        if path.is_file():
            return pa.parquet.read_table(path)
        partitioning = pa.dataset.HivePartitioning.discover(infer_dictionary=False)
        files = sorted(str(p) for p in path.rglob("*.parquet"))
        assert files, f"no Parquet file under {path}"
        return pa.dataset.dataset(files, format="parquet", partitioning=partitioning, partition_base_dir=str(path)).to_table()

    def files(self, name="."):
        """All files below a folder of the project, as sorted relative names."""
        top = self.folder / name
        return sorted(str(p.relative_to(top)) for p in top.rglob("*") if p.is_file())
