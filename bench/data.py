"""The input files of the jobs: made on demand by mutirao-datagen, kept by size and seed, shared by whoever asks.

DATA/<size>-<seed>-v<generator>/made.json says what the generator was asked for and what it made; a file stands beside it
as soon as it is whole. Two programs may ask at the same time. What earlier versions left in DATA itself stays untouched.
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
        self.datagen = datagen
        self.wanted = {"size": size, "seed": seed,
                       "generator": self._run("companies", "/dev/null", "--rows", 1)["generator"]}
        self.folder = root / f"{size}-{seed}-v{self.wanted['generator']}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.made = self._known()

    def need(self, names):
        """Make the files that are not there yet."""
        with self._alone():
            for name in names:
                if not (self.folder / name).is_file():
                    # Packed ones take minutes a gigabyte: nobody shall think that a job hangs.
                    print(f"making {self.folder / name}", file=sys.stderr, flush=True)
                    self._parquet(name) if name.endswith(".parquet") else self._generate(name)

    def _generate(self, name):
        table = TABLES[name[:3]]
        if table == "companies" and "establishments" not in self.made:
            self._generate("est.csv")
        extent = (["--size", self.wanted["size"]] if table == "establishments"
                  else ["--rows", self.made["establishments"]["companies"]])
        # The ending says how the file is packed, so it comes last.
        partial = self.folder / f"partial-{name}"
        tally = self._run(table, partial, "--seed", self.wanted["seed"], *extent, *(["--utf8"] if "utf8" in name else []))
        if table not in self.made or "utf8" not in name:  # in UTF-8 accented letters take another byte
            self.made[table] = tally
        stamp = self.folder / "partial-made.json"
        stamp.write_text(json.dumps({"wanted": self.wanted, **self.made}))
        stamp.rename(self.folder / "made.json")
        partial.rename(self.folder / name)

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

    def _run(self, table, path, *options):
        call = [self.datagen, table, path, *options]
        return json.loads(subprocess.run(list(map(str, call)), check=True, capture_output=True).stdout)

    def _known(self):
        path = self.folder / "made.json"
        known = json.loads(path.read_text()) if path.is_file() else {}
        return {table: tally for table, tally in known.items() if table != "wanted"}

    @contextmanager
    def _alone(self):
        with open(self.folder / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.made |= self._known()
            yield
