"""Run random plans over random tables in our engine and in DuckDB, and compare every row.

    random_plans.py PLAN_DRIVER [--plans 2000] [--seed N | --seed random] [--only N]

The plans are the same each time; --seed, or MUTIRAO_SEED in the environment, gives others. With --only a single plan is
run again and shown. Exit code 1: something differs, or DuckDB broke on more than one plan in a hundred.
"""

import argparse
import datetime
import decimal
import json
import math
import os
import random
import subprocess
import sys

import duckdb
from peer import Broken, Peer

DUCK_TYPES = {"int64": "BIGINT", "string": "VARCHAR", "float64": "DOUBLE", "bool": "BOOLEAN", "date": "DATE",
              "decimal(10,2)": "DECIMAL(10,2)"}
# Functions of ours that the random expressions call.
FUNCTIONS = ["coalesce", "nullif", "abs", "length", "day", "upper", "lower", "trim", "substr", "replace", "starts_with",
             "contains"]
missing = []  # those that this build does not have; said at the start
TEXTS = ["a", "b", "ab", "", "x,y", "a,b,c", "São", "zz top and more than fifteen bytes", "B", " a ", "%_"]


class Tables:
    """Three random tables with the same kinds of columns under different names."""

    def __init__(self, rng):
        self.tables = {}
        for number in range(3):
            kinds = ["int64", "int64", "string", "string", "float64", "bool", "date", "decimal(10,2)"]
            columns = {f"{kind[0]}{number}_{i}": kind for i, kind in enumerate(kinds)}
            rows = [[value(rng, kind) for kind in kinds] for _ in range(rng.choice([0, 1, 5, 20, 40, 80]))]
            self.tables[f"t{number}"] = {"columns": columns, "rows": rows}

    def load(self, connection):
        for name, table in self.tables.items():
            columns = ", ".join(f"{column} {DUCK_TYPES[kind]}" for column, kind in table["columns"].items())
            connection.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
            if table["rows"]:
                marks = ", ".join("?" for _ in table["columns"])
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", table["rows"])


def value(rng, kind):
    if rng.random() < 0.15:
        return None
    if kind == "int64":
        return rng.randint(-4, 12)
    if kind == "string":
        return rng.choice(TEXTS)
    if kind == "float64":
        return rng.randint(-40, 40) / 4
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "date":
        return str(datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randint(0, 40)))
    return f"{rng.randint(-500, 500) / 100:.2f}"


class Expressions:
    """Random typed expressions; the same text is right for both."""

    def __init__(self, rng, columns):
        self.rng = rng
        self.columns = columns

    def one_of(self, texts):
        return self.rng.choice([text for text in texts if not any(f"{name}(" in text for name in missing)])

    def of(self, kind, depth=2):
        names = [name for name, other in self.columns if other == kind]
        if depth == 0 or self.rng.random() < 0.3:
            return self.rng.choice(names) if names and self.rng.random() < 0.8 else self.literal(kind)
        return {"int64": self.int64, "string": self.string, "float64": self.float64, "bool": self.bool,
                "date": self.date, "decimal(10,2)": self.decimal}[kind](depth - 1)

    def literal(self, kind):
        rng = self.rng
        if kind == "int64":
            return str(rng.randint(0, 9))
        if kind == "string":
            return "'" + rng.choice(TEXTS) + "'"
        if kind == "float64":
            return f"cast({rng.randint(0, 40) / 4} as float64)"
        if kind == "bool":
            return rng.choice(["true", "false"])
        if kind == "date":
            return f"date '2024-01-{rng.randint(1, 28):02}'"
        return f"cast({rng.randint(0, 500) / 100:.2f} as decimal(10,2))"

    def either(self, kind, depth):
        a, b = self.of(kind, depth), self.of(kind, depth)
        return self.one_of([f"coalesce({a}, {b})", f"case when {self.of('bool', depth)} then {a} else {b} end",
                                f"case when {self.of('bool', depth)} then {a} end", f"nullif({a}, {b})"])

    def int64(self, depth):
        a, b = self.of("int64", depth), self.of("int64", depth)
        return self.one_of([f"({a} + {b})", f"({a} - {b})", f"({a} * 3)", f"abs({a})", f"-({a})",
                                f"length({self.of('string', depth)})", f"day({self.of('date', depth)})",
                                self.either("int64", depth)])

    def string(self, depth):
        a, b = self.of("string", depth), self.of("string", depth)
        return self.one_of([f"({a} || {b})", f"upper({a})", f"lower({a})", f"trim({a})", f"substr({a}, 1, 2)",
                                f"replace({a}, 'a', 'oo')", self.either("string", depth)])

    def float64(self, depth):
        a, b = self.of("float64", depth), self.of("float64", depth)
        return self.one_of([f"({a} + {b})", f"({a} - {b})", f"({a} * cast(0.5 as float64))", f"abs({a})",
                                self.either("float64", depth)])

    def date(self, depth):
        return self.either("date", depth)

    def decimal(self, depth):
        return self.either("decimal(10,2)", depth)

    def bool(self, depth):
        rng = self.rng
        kind = rng.choice(["int64", "string", "float64", "date", "decimal(10,2)"])
        a, b, c = self.of(kind, depth), self.of(kind, depth), self.of(kind, depth)
        p, q = self.of("bool", depth), self.of("bool", depth)
        s = self.of("string", depth)
        return self.one_of([f"({a} {rng.choice(['=', '<>', '<', '<=', '>', '>='])} {b})"] * 3 +
                          [f"({a} is null)", f"({a} is not null)", f"({a} between {b} and {c})", f"({a} in ({b}, {c}))",
                           f"({a} not in ({b}, {c}))", f"({s} like '%a%')", f"({s} like '_')", f"starts_with({s}, 'a')",
                           f"contains({s}, 'b')", f"({p} and {q})", f"({p} or {q})", f"(not {p})"])


class Plan:
    """A chain of steps, as a frame and as SQL."""

    def __init__(self, rng, tables):
        self.rng = rng
        self.tables = tables
        self.counter = 0
        self.frames = {}
        self.name, self.columns, self.sql = self.frame(rng.choice(list(tables)), rng.randint(1, 6), 2)

    def fresh(self):
        self.counter += 1
        return f"n{self.counter}"

    def frame(self, table, steps, depth):
        name = f"f{len(self.frames)}"
        self.frames[name] = {"read": {"table": table}, "steps": []}
        columns = list(self.tables[table]["columns"].items())
        sql = f"SELECT * FROM {table}"
        kinds = [self.filter, self.derive, self.select, self.rename, self.drop, self.aggregate, self.distinct,
                 self.distinct_by, self.top, self.limit, self.unnest] + [self.join] * 3 * (depth > 0) + [self.union]
        for _ in range(steps):
            made = self.rng.choice(kinds)(columns, sql, depth)
            if made is None:
                continue
            step, columns, sql = made
            self.frames[name]["steps"] += step
        return name, columns, sql

    def expressions(self, columns):
        return Expressions(self.rng, columns)

    def some(self, columns):
        return [column for column in columns if self.rng.random() < 0.6] or columns[:1]

    def filter(self, columns, sql, _):
        condition = self.expressions(columns).of("bool", 3)
        return [{"filter": condition}], columns, f"SELECT * FROM ({sql}) WHERE {condition}"

    def computed(self, columns):
        kind = self.rng.choice(list(DUCK_TYPES))
        return self.fresh(), kind, self.expressions(columns).of(kind, 3)

    def derive(self, columns, sql, _):
        name, kind, text = self.computed(columns)
        return [{"derive": {name: text}}], columns + [(name, kind)], f"SELECT *, {text} AS {name} FROM ({sql})"

    def select(self, columns, sql, _):
        kept = self.some(columns)
        self.rng.shuffle(kept)
        name, kind, text = self.computed(columns)
        step = [{"select": [column for column, _ in kept] + [{name: text}]}]
        listed = ", ".join([column for column, _ in kept] + [f"{text} AS {name}"])
        return step, kept + [(name, kind)], f"SELECT {listed} FROM ({sql})"

    def rename(self, columns, sql, _):
        at = self.rng.randrange(len(columns))
        old, kind = columns[at]
        name = self.fresh()
        renamed = columns[:at] + [(name, kind)] + columns[at + 1:]
        listed = ", ".join(f"{a} AS {b}" for (a, _), (b, _) in zip(columns, renamed))
        return [{"rename": {old: name}}], renamed, f"SELECT {listed} FROM ({sql})"

    def drop(self, columns, sql, _):
        kept = self.some(columns)
        gone = [name for name, _ in columns if name not in dict(kept)]
        if not gone:
            return None
        return [{"drop": gone}], kept, f"SELECT {', '.join(name for name, _ in kept)} FROM ({sql})"

    def aggregate(self, columns, sql, _):
        keys = self.rng.sample(columns, min(len(columns), self.rng.choice([0, 1, 1, 2])))
        calls, outputs = {}, list(keys)
        for _ in range(self.rng.randint(1, 3)):
            column, kind = self.rng.choice(columns)
            functions = {"count": "int64", "count_distinct": "int64"}
            if kind != "bool":
                functions |= {"min": kind, "max": kind}
            if kind in ("int64", "float64"):
                functions |= {"sum": kind, "avg": "float64", "median": "float64", "stddev": "float64"}
            function = self.rng.choice(list(functions))
            name = self.fresh()
            calls[name] = (function, column)
            outputs.append((name, functions[function]))
        with_ = {name: f"{function}({column})" for name, (function, column) in calls.items()}
        listed = [column for column, _ in keys]
        for name, (function, column) in calls.items():
            call = f"count(DISTINCT {column})" if function == "count_distinct" else f"{function}({column})"
            listed.append(f"{'CAST(' + call + ' AS BIGINT)' if dict(outputs)[name] == 'int64' else call} AS {name}")
        steps = [{"aggregate": {"with": with_} | ({"by": [column for column, _ in keys]} if keys else {})}]
        group = f" GROUP BY {', '.join(column for column, _ in keys)}" if keys else ""
        sql = f"SELECT {', '.join(listed)} FROM ({sql}){group}"
        # Their last digits depend on the order of the rows, and a later distinct or sum would show that.
        if rounded := {name: f"round({name} * 1024) / 1024" for name, (f, _) in calls.items() if f in ("avg", "stddev")}:
            steps.append({"derive": rounded})
            replaced = ", ".join(f"{text} AS {name}" for name, text in rounded.items())
            sql = f"SELECT * REPLACE ({replaced}) FROM ({sql})"
        return steps, outputs, sql

    def distinct(self, columns, sql, _):
        return [{"distinct": True}], columns, f"SELECT DISTINCT * FROM ({sql})"

    def distinct_by(self, columns, sql, _):
        names = [name for name, _ in self.some(columns)]
        kept = [column for column in columns if column[0] in names]
        step = [{"distinct": names}, {"select": [name for name, _ in kept]}]
        return step, kept, f"SELECT DISTINCT {', '.join(name for name, _ in kept)} FROM ({sql})"

    def top(self, columns, sql, _):
        order = [(name, self.rng.random() < 0.5) for name, _ in self.rng.sample(columns, len(columns))]
        count = self.rng.choice([0, 1, 3, 10, 50])
        keys = ", ".join(f"{name} {'DESC' if down else 'ASC'} NULLS LAST" for name, down in order)
        step = [{"sort": [("-" if down else "") + name for name, down in order]}, {"limit": count}]
        return step, columns, f"SELECT * FROM ({sql}) ORDER BY {keys} LIMIT {count}"

    def limit(self, columns, sql, _):
        count, name = self.rng.choice([0, 1, 10, 100]), self.fresh()
        step = [{"limit": count}, {"aggregate": {"with": {name: "count()"}}}]
        return step, [(name, "int64")], f"SELECT count(*) AS {name} FROM (SELECT * FROM ({sql}) LIMIT {count})"

    def unnest(self, columns, sql, _):
        texts = [name for name, kind in columns if kind == "string"]
        if not texts:
            return None
        column = self.rng.choice(texts)
        listed = ", ".join(f"unnest(string_split({name}, ',')) AS {name}" if name == column else name
                           for name, _ in columns)
        return [{"unnest": {"column": column, "split": ","}}], columns, f"SELECT {listed} FROM ({sql})"

    def union(self, columns, sql, depth):
        # The other side is the same table under a filter, with its columns turned into those of this side.
        table = self.rng.choice(list(self.tables))
        other, theirs, other_sql = self.frame(table, 0, 0)
        by_kind = {}
        for name, kind in theirs:
            by_kind.setdefault(kind, name)
        if any(kind not in by_kind for _, kind in columns):
            return None
        entries = [{name: by_kind[kind]} for name, kind in columns]
        self.rng.shuffle(entries)
        self.frames[other]["steps"].append({"select": entries})
        listed = ", ".join(f"{by_kind[kind]} AS {name}" for name, kind in columns)
        return [{"union": [other]}], columns, f"SELECT * FROM ({sql}) UNION ALL SELECT {listed} FROM ({other_sql})"

    def join(self, columns, sql, depth):
        other, theirs, other_sql = self.frame(self.rng.choice(list(self.tables)), self.rng.randint(0, 2), depth - 1)
        taken = {name for name, _ in columns}
        renames = {name: self.fresh() for name, _ in theirs if name in taken}
        if renames:
            self.frames[other]["steps"].append({"rename": renames})
            listed = ", ".join(f"{name} AS {renames.get(name, name)}" for name, _ in theirs)
            other_sql = f"SELECT {listed} FROM ({other_sql})"
            theirs = [(renames.get(name, name), kind) for name, kind in theirs]
        how = self.rng.choice(["inner", "inner", "left", "left", "right", "full", "semi", "anti", "cross"])
        if how == "cross":
            self.frames[other]["steps"] += [{"sort": [name for name, _ in theirs]}, {"limit": 3}]
            order = ", ".join(f"{name} NULLS LAST" for name, _ in theirs)
            other_sql = f"SELECT * FROM ({other_sql}) ORDER BY {order} LIMIT 3"
            return ([{"join": {"with": other, "how": "cross"}}], columns + theirs,
                    f"SELECT * FROM ({sql}) CROSS JOIN ({other_sql})")
        pairs = [(a, b) for a, kind in columns for b, other_kind in theirs if kind == other_kind and kind != "bool"]
        if not pairs:
            return None
        on = {}
        for left, right in self.rng.sample(pairs, min(len(pairs), self.rng.choice([1, 1, 2]))):
            if left not in on and right not in on.values():
                on[left] = right
        step = [{"join": {"with": other, "on": on, "how": how}}]
        condition = " AND ".join(f"l.{a} = r.{b}" for a, b in on.items())
        if how in ("semi", "anti"):
            return step, columns, f"SELECT * FROM ({sql}) l {how.upper()} JOIN ({other_sql}) r ON {condition}"
        more = [(name, kind) for name, kind in theirs if name not in on.values()]
        listed = [f"coalesce(l.{name}, r.{on[name]}) AS {name}" if name in on and how in ("right", "full")
                  else f"l.{name}" for name, _ in columns] + [f"r.{name}" for name, _ in more]
        return (step, columns + more,
                f"SELECT {', '.join(listed)} FROM ({sql}) l {how.upper()} JOIN ({other_sql}) r ON {condition}")


def plain(cell):
    if isinstance(cell, (decimal.Decimal, datetime.date)):
        return str(cell)
    return cell


def to_duck(sql):
    return sql.replace("as float64)", "as DOUBLE)")


def sort_key(row):
    return [("" if cell is None else "f" if isinstance(cell, float) else repr(cell)) for cell in row] + [
        (0.0 if cell is None else round(cell, 6)) for cell in row if isinstance(cell, float) or cell is None]


def same_cell(x, y):
    if isinstance(x, float) or isinstance(y, float):
        if x is None or y is None:
            return x is y
        return math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9)
    return x == y and type(x) is type(y)


def same_rows(ours, theirs):
    if len(ours) != len(theirs):
        return False
    ours, theirs = sorted(ours, key=sort_key), sorted(theirs, key=sort_key)
    return all(len(x) == len(y) and all(map(same_cell, x, y)) for x, y in zip(ours, theirs))


class Driver:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, document):
        self.process.stdin.write(json.dumps(document) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the driver died, code {self.process.wait()}")
        return json.loads(line)


def check(plan, answer, peer):
    """Say what is wrong, or nothing. Raises Broken when DuckDB breaks."""
    if "error" in answer:
        return f"the engine refuses: {answer['error']}"
    try:
        sql = to_duck(plan.sql)
        wrong = difference(answer, peer.rows(sql))
        if wrong and difference(answer, peer.rows_unoptimized(sql)) is None:
            raise Broken(f"DuckDB agrees with its optimizer off only: {wrong}")
    except duckdb.Error as error:
        return f"DuckDB refuses: {error}"
    return wrong


def difference(answer, theirs):
    """The first of our results that is not what DuckDB gives, or nothing."""
    floats = [kind == "float64" for kind in answer["columns"].values()]
    theirs = of_types(([plain(cell) for cell in row] for row in theirs), floats)
    for result in answer["results"]:
        ours = of_types(result["rows"], floats)
        if not same_rows(ours, theirs):
            return (f"{result['way']}: {len(ours)} rows, DuckDB has {len(theirs)}\n  ours   "
                    f"{sorted(ours, key=sort_key)[:8]}\n  theirs {sorted(theirs, key=sort_key)[:8]}")
    return None


def of_types(rows, floats):
    return [[float(cell) if is_float and cell is not None else cell for cell, is_float in zip(row, floats)]
            for row in rows]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("driver")
    parser.add_argument("--plans", type=int, default=2000)
    parser.add_argument("--seed", default=os.environ.get("MUTIRAO_SEED", "1"), help="a number, or random")
    parser.add_argument("--only", type=int)
    options = parser.parse_args()
    if options.seed == "random":
        options.seed = str(random.SystemRandom().randrange(10**9))
    print(f"seed {options.seed}", flush=True)
    driver = Driver(options.driver)
    known = driver.ask({"functions": True})
    missing.extend(name for name in FUNCTIONS if name not in known)
    if missing:
        print("not in this build, and so not compared:", ", ".join(missing))
    tables = Tables(random.Random())
    peer = Peer(lambda connection: tables.load(connection), threads=1)
    failures = rows = 0
    for number in range(options.plans):
        if number % 20 == 0:
            tables = Tables(random.Random(f"{options.seed} tables {number}"))
            loaded = False
        if options.only is not None and number != options.only:
            continue
        if not loaded:
            driver.ask({"tables": tables.tables})
            tables.load(peer.connection)
            loaded = True
        plan = Plan(random.Random(f"{options.seed} plan {number}"), tables.tables)
        answer = driver.ask({"frames": plan.frames, "frame": plan.name, "staged": number % 4 == 0})
        wrong = None
        try:
            wrong = check(plan, answer, peer)
        except Broken as error:
            peer.not_compared(f"plan {number}", error)
        rows += len(answer["results"][0]["rows"]) if answer.get("results") else 0
        if wrong or options.only is not None:
            print(f"plan {number} (--seed {options.seed} --only {number}): {wrong or 'agrees'}\n"
                  f"  {json.dumps(plan.frames)}\n  {to_duck(plan.sql)}")
        failures += wrong is not None
        if failures >= 10:
            break
    print(f"{options.plans} plans, {rows} rows, {failures} differ, {len(peer.broken)} not compared as DuckDB broke",
          *peer.broken, sep="\n  ")
    if verdict := peer.verdict(options.plans):
        sys.exit(verdict)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
