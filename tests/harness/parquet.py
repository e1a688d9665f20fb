"""Reading a Hive-partitioned Parquet dataset the way its users do, and comparing tables cell by cell."""

import math
from pathlib import Path


def rows(table):
    """The rows of a pyarrow table as tuples of Python values, in a canonical order."""
    columns = [table.column(i).to_pylist() for i in range(table.num_columns)]
    return sorted(zip(*columns), key=sort_key)


def sort_key(row):
    return tuple((value is not None, str(type(value)), str(value)) for value in row)


def assert_same_rows(actual, expected, names):
    """Compare two lists of rows without regard to order; name the first cells that differ."""
    actual, expected = sorted(actual, key=sort_key), sorted(expected, key=sort_key)
    differing = [(i, name, a, e) for i, (x, y) in enumerate(zip(actual, expected))
                 for name, a, e in zip(names, x, y) if not same(a, e)]
    assert not differing, f"{len(differing)} cells differ, first (row, column, actual, expected): {differing[:5]}"
    assert len(actual) == len(expected), f"{len(actual)} rows, expected {len(expected)}"


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12) or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and a == b


def dataset_glob(folder):
    return str(Path(folder) / "**" / "*.parquet")
