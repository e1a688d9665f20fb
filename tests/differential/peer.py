"""DuckDB as the other side of a comparison, which may itself break.

An error that DuckDB calls internal is a bug of its own and says nothing of ours, nor does a query to which it gives
another answer once its optimizer is off. Such a thing is not compared. It is counted, and too many of them fail the
test, as a comparison that does not happen proves nothing.
"""

import duckdb

TOLERATED = 0.01  # of all that was to be compared


class Broken(Exception):
    """The peer has a bug of its own."""


class Peer:
    """A connection that is made and loaded anew after a bug of DuckDB, which leaves its database unusable."""

    def __init__(self, load, **config):
        self.load, self.config = load, config
        self.broken = []
        self.connect()

    def connect(self):
        self.connection = duckdb.connect(config=self.config)
        self.load(self.connection)

    def rows(self, sql):
        """The rows of a query; raises duckdb.Error for one that DuckDB refuses and Broken when it breaks."""
        try:
            return self.connection.execute(sql).fetchall()
        except (duckdb.InternalException, duckdb.FatalException) as error:
            self.connect()
            raise Broken(str(error)) from error

    def rows_unoptimized(self, sql):
        """The rows that DuckDB gives for a query as it stands."""
        self.connection.execute("PRAGMA disable_optimizer")
        try:
            return self.rows(sql)
        finally:
            self.connection.execute("PRAGMA enable_optimizer")

    def not_compared(self, what, error):
        """Note something that could not be compared."""
        self.broken.append(f"{what}: {str(error).splitlines()[0]}")

    def verdict(self, compared):
        """Say why the comparison is worth nothing, or nothing."""
        if len(self.broken) <= TOLERATED * compared:
            return None
        return f"DuckDB broke on {len(self.broken)} of {compared}, which is too many:\n" + "\n".join(self.broken[:10])
