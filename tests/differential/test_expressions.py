"""Random expressions over a table with nulls give what DuckDB gives.

MUTIRAO_SEED gives other expressions. What only one side refuses is a failure too, except for numbers that leave their
type: decimals have other widths on both sides. Where DuckDB breaks (peer.py) nothing is compared.
"""

import datetime
import math
import os
import random
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from differential.peer import Broken, Peer
from differential.random_expressions import TEXTS, Expressions

JOBS = 12
COLUMNS_A_JOB = 250
OVERFLOWS = ("beyond", "Overflow", "overflow", "out of range", "Out of Range", "Could not cast")


def table(rng, rows=64):
    def column(kind, make):
        return pa.array([None if rng.random() < 0.15 else make() for _ in range(rows)], kind)

    def day():
        return datetime.date(2019, 12, 25) + datetime.timedelta(days=rng.randint(0, 2500))

    def instant():
        return datetime.datetime(2020, 1, 1) + datetime.timedelta(seconds=rng.randint(-10**9, 2 * 10**8))

    decimals = {"d": (12, 2), "e": (9, 4)}
    return pa.table({
        "i": column(pa.int64(), lambda: rng.randint(-1000, 1000)),
        "j": column(pa.int64(), lambda: rng.randint(-3, 3)),
        "k": column(pa.int32(), lambda: rng.randint(-100, 100)),
        **{name: column(pa.decimal128(p, s), lambda s=s: Decimal(rng.randint(-10**6, 10**6)).scaleb(-s))
           for name, (p, s) in decimals.items()},
        "f": column(pa.float64(), lambda: rng.randint(-400, 400) / 8),
        "g": column(pa.float64(), lambda: rng.choice([0.0, 0.1, -2.5, 1e6])),
        "s": column(pa.string(), lambda: rng.choice(TEXTS)),
        "t": column(pa.string(), lambda: rng.choice(TEXTS)),
        "b": column(pa.bool_(), lambda: rng.random() < 0.5),
        "c": column(pa.bool_(), lambda: rng.random() < 0.5),
        "x": column(pa.date32(), day),
        "y": column(pa.date32(), day),
        "u": column(pa.timestamp("us"), instant),
        "v": column(pa.timestamp("us"), instant),
    })


def same(ours, theirs):
    if ours is None or theirs is None:
        return ours is theirs
    if isinstance(theirs, datetime.date) and not isinstance(theirs, datetime.datetime) and isinstance(ours, datetime.datetime):
        theirs = datetime.datetime.combine(theirs, datetime.time())
    if isinstance(ours, float) or isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-12)
    return ours == theirs


class Both:
    """The same expressions in both programs; an expression has a list of values, a text that says why not, or Broken."""

    def __init__(self, project):
        self.project = project
        data = project.path("data.parquet")
        self.peer = Peer(lambda connection: connection.execute(f"create table data as select * from '{data}'"))
        self.calls = 0

    def ours(self, expressions):
        self.calls += 1
        derived = {f"r{n}": text for n, text in enumerate(expressions)}
        job = self.project.job({"ops": {"load": {
            "frames": {"out": {"read": {"parquet": "data.parquet"},
                               "steps": [{"derive": derived}, {"select": list(derived)}]}},
            "write": [{"frame": "out", "parquet": "out.parquet", "mode": "overwrite"}]}}})
        outcome = self.project.run("run", job, "-q")
        if outcome.code == 0:
            result = self.project.read("out.parquet")
            return [result.column(name).to_pylist() for name in derived]
        return self.halves(self.ours, expressions, outcome.err)

    def theirs(self, expressions):
        try:
            rows = self.peer.rows(f"select {', '.join(expressions)} from data")
            return [list(values) for values in zip(*rows)]
        except duckdb.Error as error:
            return self.halves(self.theirs, expressions, str(error))
        except Broken as error:
            return self.halves(self.theirs, expressions, error)

    def halves(self, compute, expressions, error):
        if len(expressions) == 1:
            return [error]
        middle = len(expressions) // 2
        return compute(expressions[:middle]) + compute(expressions[middle:])


def difference(ours, theirs):
    """What is wrong with a pair of answers; None when nothing is."""
    failures = [answer for answer in (ours, theirs) if isinstance(answer, str)]
    if len(failures) == 2 or (failures and any(word in failures[0] for word in OVERFLOWS)):
        return None
    if failures:
        return f"{'ours' if failures[0] is ours else 'theirs'} fails: {failures[0][:400]}"
    for row, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if not same(a, b):
            return f"row {row}: {a!r} and not {b!r}"
    return None


def test_expressions_give_what_duckdb_gives(project):
    seed = int(os.environ.get("MUTIRAO_SEED", 1))
    print(f"MUTIRAO_SEED={seed}")  # pytest shows it when the test fails
    rng = random.Random(seed)
    pq.write_table(table(rng), project.path("data.parquet"))
    both = Both(project)
    wrong, failed = [], 0
    for _ in range(JOBS):
        pairs = [Expressions(rng).any(rng.randint(1, 4)) for _ in range(COLUMNS_A_JOB)]
        ours = both.ours([text for text, _ in pairs])
        theirs = both.theirs([text for _, text in pairs])
        for pair, mine, other in zip(pairs, ours, theirs, strict=True):
            failed += isinstance(mine, str)
            if isinstance(other, Broken):
                both.peer.not_compared(pair[1], other)
            elif problem := difference(mine, other):
                wrong.append(f"{pair[0]}\n  in SQL {pair[1]}\n  {problem}")
    assert not wrong, f"MUTIRAO_SEED={seed}: {len(wrong)} differences\n" + "\n".join(wrong[:20])
    assert both.peer.verdict(JOBS * COLUMNS_A_JOB) is None
    # A generator whose expressions fail tests nothing.
    assert failed < JOBS * COLUMNS_A_JOB / 20, f"MUTIRAO_SEED={seed}: {failed} expressions fail"
