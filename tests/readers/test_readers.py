"""What the program writes is read by the engines that its users have, with equal content."""

import datetime
import decimal
import json

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet
import pytest

COLUMNS = {
    "id": "int64", "flag": "bool", "tiny": "int8", "short": "int16", "word": "int32", "share": "float64",
    "price": "decimal(18,2)", "wide": "decimal(38,10)", "name": "string", "day": "date", "at": "timestamp",
    "at_utc": "timestamp[UTC]", "uf": "string",
}
ROWS = [
    [1, True, -128, 300, -70000, 0.5, "1234.50", "0.0000000001", "São \"Paulo\",\n", "2026-01-31", "2026-01-31 10:00:00.25",
     "2026-01-31T10:00:00Z", "SP"],
    [2, None, None, None, None, None, None, None, None, None, None, None, "RJ"],
    [3, False, 127, -300, 2147483647, 1e300, "-0.01", "-9999999999999999999999999999.5", "", "1700-02-28", "1969-12-31 23:59:59",
     "1969-12-31T23:59:59Z", "a/b=c %"],
]
D = decimal.Decimal
UTC = datetime.timezone.utc
EXPECTED = [
    (1, True, -128, 300, -70000, 0.5, D("1234.50"), D("0.0000000001"), "São \"Paulo\",\n", datetime.date(2026, 1, 31),
     datetime.datetime(2026, 1, 31, 10, 0, 0, 250000), datetime.datetime(2026, 1, 31, 10, tzinfo=UTC), "SP"),
    (2,) + (None,) * 11 + ("RJ",),
    (3, False, 127, -300, 2147483647, 1e300, D("-0.01"), D("-9999999999999999999999999999.5"), "", datetime.date(1700, 2, 28),
     datetime.datetime(1969, 12, 31, 23, 59, 59), datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), "a/b=c %"),
]


@pytest.fixture(scope="module")
def written(tmp_path_factory, binary):
    from harness.project import Project

    project = Project(tmp_path_factory.mktemp("readers"), binary)
    frame = {"read": {"inline": {"columns": COLUMNS, "rows": ROWS}}}
    writes = [{"frame": "rows", "parquet": "one.parquet"}, {"frame": "rows", "parquet": "parts", "partition_by": ["uf"]},
              {"frame": "rows", "ipc": "one.arrow"}]
    writes += [{"frame": "rows", "parquet": f"{codec}.parquet", "compression": codec}
               for codec in ("snappy", "gzip", "lz4", "none")]
    project.run_ok("run", project.job({"ops": {"write": {"frames": {"rows": frame}, "write": writes}}}))
    return project


def by_id(table):
    columns = [table.column(name).to_pylist() for name in COLUMNS]
    return sorted(zip(*columns))


def read_duckdb(path):
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    return pyarrow.table(connection.sql(f"select {names} from read_parquet('{path}', hive_partitioning = true)").arrow())


READERS = {
    "duckdb": read_duckdb,
    "polars": lambda path: polars.read_parquet(path, hive_partitioning=True).to_arrow(),
    "pyarrow": lambda path: pyarrow.dataset.dataset(path, partitioning=None).to_table(),
    "pandas": lambda path: pyarrow.Table.from_pandas(pandas.read_parquet(path, dtype_backend="pyarrow")),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("file", ["one", "snappy", "gzip", "lz4", "none"])
def test_every_type_is_read_equal(written, reader, file):
    assert by_id(READERS[reader](str(written.path(f"{file}.parquet")))) == EXPECTED


@pytest.mark.parametrize("reader", ["duckdb", "polars", "pyarrow"])
def test_partitions_are_columns_again(written, reader):
    folder = written.path("parts")
    if reader == "pyarrow":
        table = pyarrow.dataset.dataset(folder, partitioning="hive").to_table()
    else:
        table = READERS[reader](f"{folder}/**/*.parquet")
    assert by_id(table) == EXPECTED


def test_arrow_file_is_read_by_polars(written):
    assert by_id(polars.read_ipc(written.path("one.arrow")).to_arrow()) == EXPECTED


def test_footer_tells_statistics_page_index_and_what_wrote_it(written):
    metadata = pyarrow.parquet.ParquetFile(written.path("one.parquet")).metadata
    for i in range(metadata.num_columns):
        column = metadata.row_group(0).column(i)
        assert column.statistics.has_null_count, column
        assert column.has_column_index and column.has_offset_index, column
        assert column.compression == "ZSTD"
    assert json.loads(metadata.metadata[b"mutirao"])["rows"] == 3


def test_what_is_written_is_read_back_by_the_program(written):
    frames = {"back": {"read": {"parquet": "parts"}}, "arrow": {"read": {"ipc": "one.arrow"}}}
    job = {"ops": {"copy": {"frames": frames, "write": [{"frame": "back", "parquet": "copy.parquet"},
                                                        {"frame": "arrow", "parquet": "copy2.parquet"}]}}}
    written.run_ok("run", written.job(job, "copy"))
    for name in ("copy", "copy2"):
        assert by_id(pyarrow.parquet.read_table(written.path(f"{name}.parquet"))) == EXPECTED
