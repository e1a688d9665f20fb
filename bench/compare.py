"""What an output says, in a form that does not depend on the order of rows, files or columns."""

import duckdb


def fingerprint(out):
    """Rows of an output, its columns and a hash of its cells. Texts are compared as bytes, so that "é" written wrong
    is not equal; numbers and dates as what they print, so that an int32 equals the same int64."""
    source = f"read_parquet('{out}/**/*.parquet')"
    connection = duckdb.connect()
    names = sorted(name for name, *_ in connection.execute(f"describe select * from {source}").fetchall())
    cells = ", ".join(f'cast("{name}" as varchar)' for name in names)
    rows, digest = connection.execute(
        f"select count(*), sum(cast(hash(row({cells})) as hugeint)) from {source}").fetchall()[0]
    return {"rows": rows, "hash": str(digest), "columns": names}
