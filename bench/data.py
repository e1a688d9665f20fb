"""The input files of the jobs: made on demand by mutirao-datagen, kept by size and seed, shared by whoever asks.

DATA/<size>-<seed>/made.json says what the generator was asked for and what it made; a file stands beside it as soon as
it is whole. A folder whose own made.json (DATA/made.json, as earlier versions wrote it) has the size and seed is used
as it is. Two programs may ask at the same time.
"""

import fcntl
import json
import subprocess
import sys
from contextlib import contextmanager

import duckdb

from columns import COMPANY, ESTABLISHMENT, read_csv

TABLES = {"est": "establishments", "emp": "companies"}


def inputs(job, system):
    """Names of the files that a system reads in a job."""
    tables = ["est", "emp"] if job in ("J2", "J6", "J7") else ["est"]
    if job == "J7":
        return [f"{table}.parquet" for table in tables]
    # Polars knows no Latin-1: it reads a copy.
    copy = "_utf8" if system == "polars" else ""
    if job == "J4":
        return ["est.zip" if system == "mutirao" else f"est{copy}.csv.gz"]
    return [f"{table}{copy}.csv" for table in tables]


class Data:
    """A folder of input files of one size and seed. `made` is what the generator said of each table."""

    def __init__(self, root, size, seed, datagen):
        self.wanted = {"size": size, "seed": seed}
        self.datagen = datagen
        root.mkdir(parents=True, exist_ok=True)
        self.folder = root if self._stamp(root).get("wanted") == self.wanted else root / f"{size}-{seed}"
        self.folder.mkdir(exist_ok=True)
        self.made = {table: tally for table, tally in self._stamp(self.folder).items() if table != "wanted"}

    def need(self, names):
        """Make the files that are not there yet."""
        with self._alone():
            for name in names:
                if not (self.folder / name).is_file():
                    self._parquet(name) if name.endswith(".parquet") else self._generate(name)

    def _generate(self, name):
        table = TABLES[name[:3]]
        if table == "companies" and "establishments" not in self.made:
            self._generate("est.csv")
        extent = (["--size", self.wanted["size"]] if table == "establishments"
                  else ["--rows", self.made["establishments"]["companies"]])
        # The ending says how the file is packed, so it comes last.
        partial = self.folder / f"partial-{name}"
        call = [self.datagen, table, partial, "--seed", self.wanted["seed"], *extent, *(["--utf8"] if "utf8" in name else [])]
        tally = json.loads(subprocess.run(list(map(str, call)), check=True, capture_output=True).stdout)
        self._remember(table, tally, "utf8" in name)
        partial.rename(self.folder / name)

    def _remember(self, table, tally, utf8):
        known = self.made.setdefault(table, tally)
        # Accented letters take another byte in UTF-8.
        same = ("rows", "active") if utf8 else ("rows", "active", "bytes")
        if any(known.get(key) != tally.get(key) for key in same):
            sys.exit(f"{self.folder} was made by another version of the generator: remove it or give another --data")
        if not utf8:
            self.made[table] = tally
        partial = self.folder / "partial-made.json"
        partial.write_text(json.dumps({"wanted": self.wanted, **self.made}))
        partial.rename(self.folder / "made.json")

    def _parquet(self, name):
        """Typed columns as a user would keep them, written by DuckDB in row groups of its own size."""
        csv = f"{name[:3]}.csv"
        if not (self.folder / csv).is_file():
            self._generate(csv)
        columns, typed = ((ESTABLISHMENT, "strptime(data_inicio_atividade, '%Y%m%d')::date as data_inicio_atividade")
                          if name == "est.parquet" else
                          (COMPANY, "replace(capital_social, ',', '.')::decimal(18, 2) as capital_social"))
        partial = self.folder / f"partial-{name}"
        duckdb.execute(f"copy (select * replace ({typed}) from {read_csv(self.folder / csv, columns)}) "
                       f"to '{partial}' (format parquet, compression zstd)")
        partial.rename(self.folder / name)

    @staticmethod
    def _stamp(folder):
        path = folder / "made.json"
        return json.loads(path.read_text()) if path.is_file() else {}

    @contextmanager
    def _alone(self):
        with open(self.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.made |= {table: tally for table, tally in self._stamp(self.folder).items() if table != "wanted"}
            yield


def warm(paths):
    """Read files once, into the page cache."""
    for path in paths:
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass
