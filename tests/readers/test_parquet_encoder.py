"""Files of our Parquet encoder, read by DuckDB, Polars, pandas and pyarrow and compared with what was written.

formats_test writes the files, each beside its content as an Arrow file. By hand:
MUTIRAO_BUILD_DIR=../build/dev ../.venv/bin/python -m pytest readers
"""

import os
import subprocess
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

NAMES = ["empty", "one-row", "codec-0", "codec-2", "codec-7"] + [
    f"{nulls}-{kinds}{pages}" for nulls in ("full", "some", "runs", "nulls") for kinds in (1, 40, 30000)
    for pages in ("", "-small-pages")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, root):
    build = Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev")).resolve()
    path = tmp_path_factory.mktemp("encoded")
    subprocess.run([build / "bin" / "formats_test", "--gtest_filter=ParquetFileEncoder.WritesFilesForOtherReaders"],
                   env={**os.environ, "MUTIRAO_READERS_DIR": str(path)}, check=True, stdout=subprocess.PIPE)
    assert sorted(p.stem for p in path.glob("*.parquet")) == sorted(NAMES)
    return path


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def written(folder, name):
    with pa.ipc.open_file(folder / f"{name}.arrow") as file:
        return file.read_all()


def assert_same(actual, expected):
    assert actual.num_rows == expected.num_rows
    for column in expected.column_names:
        assert actual[column].to_pylist() == expected[column].to_pylist(), column


def test_pyarrow_gives_types_and_values_and_checks_crc(folder, name):
    expected = written(folder, name)
    table = pq.read_table(folder / f"{name}.parquet", page_checksum_verification=True)
    assert table.schema.types == expected.schema.types
    assert_same(table, expected)


def test_pyarrow_without_our_schema_sees_the_same_logical_types(folder):
    file = pq.ParquetFile(folder / "full-40.parquet")
    logical = [str(file.schema.column(i).logical_type) for i in range(16)]
    assert logical[1].startswith("Int(bitWidth=8") and logical[6] == "Date" and logical[10] == "String"
    assert "isAdjustedToUTC=false" in logical[7] and "isAdjustedToUTC=true" in logical[8]
    physical = [file.schema.column(i).physical_type for i in range(12, 16)]
    assert physical == ["INT32", "INT64", "FIXED_LEN_BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"]


def test_duckdb(folder, name):
    expected = written(folder, name)
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    actual = con.sql(f"select * from '{folder}/{name}.parquet'").to_arrow_table()
    for column, kind in zip(expected.column_names, expected.schema.types):
        # DuckDB gives all zoned timestamps in its own zone: the instants are compared.
        value = kind.value_type if pa.types.is_list(kind) else kind
        zoned = pa.types.is_timestamp(value) and value.tz is not None
        ours = expected[column]
        theirs = actual[column]
        assert len(theirs) == len(ours)
        if zoned:
            naive = pa.list_(pa.timestamp("us", "UTC")) if pa.types.is_list(kind) else pa.timestamp("us", "UTC")
            ours, theirs = ours.cast(naive), theirs.cast(naive)
        assert theirs.to_pylist() == ours.to_pylist(), column


def test_polars(folder, name):
    expected = written(folder, name)
    frame = polars.read_parquet(folder / f"{name}.parquet")
    assert_same(frame.to_arrow(), expected)


def test_pandas(folder, name):
    expected = written(folder, name)
    frame = pandas.read_parquet(folder / f"{name}.parquet", dtype_backend="pyarrow")
    assert len(frame) == expected.num_rows
    for column in expected.column_names:
        assert pa.array(frame[column], type=expected.schema.field(column).type).to_pylist() == \
            expected[column].to_pylist(), column


def test_statistics_hold_the_values(folder, name):
    expected = written(folder, name)
    file = pq.ParquetFile(folder / f"{name}.parquet")
    row = 0
    for g in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(g)
        rows = expected.slice(row, group.num_rows)
        row += group.num_rows
        for i, kind in enumerate(expected.schema.types):
            column = group.column(i)
            assert column.has_column_index and column.has_offset_index
            if pa.types.is_list(kind):
                continue
            values = rows.column(i).drop_null()
            statistics = column.statistics
            assert statistics.null_count == rows.column(i).null_count
            assert statistics.has_min_max == (len(values) > 0)
            if not statistics.has_min_max:
                continue
            if pa.types.is_binary(kind):
                values = [bytes(v) for v in values.to_pylist()]
                least, greatest = min(values), max(values)
            elif pa.types.is_string(kind):
                values = sorted(values.to_pylist(), key=lambda v: v.encode())
                least, greatest = values[0], values[-1]
            else:
                least, greatest = (v.as_py() for v in pc.min_max(values).values())
            if pa.types.is_string(kind) or pa.types.is_binary(kind):
                encode = (lambda v: v.encode()) if pa.types.is_string(kind) else bytes
                assert encode(statistics.min) <= encode(least) and encode(statistics.max) >= encode(greatest)
            elif not pa.types.is_timestamp(kind):
                assert (statistics.min, statistics.max) == (least, greatest), i
    assert row == expected.num_rows


@pytest.mark.parametrize("name", ["full-40", "some-30000", "runs-30000-small-pages", "some-40-small-pages"])
def test_filters_that_skip_pages_keep_the_right_rows(folder, name):
    path, expected = folder / f"{name}.parquet", written(folder, name)
    con = duckdb.connect()
    for column in ("c3", "c4", "c5", "c6", "c10", "c13", "c14"):
        values = sorted(expected[column].drop_null().to_pylist())
        for low, high in ((values[0], values[len(values) // 50]), (values[len(values) // 2],) * 2, (values[-1],) * 2):
            want = sum(low <= v <= high for v in values)
            assert con.execute(f"select count(*) from '{path}' where {column} between ? and ?",
                               [low, high]).fetchone()[0] == want
            assert pq.read_table(path, columns=[column],
                                 filters=[(column, ">=", low), (column, "<=", high)]).num_rows == want
            frame = polars.scan_parquet(path).select(column).filter(polars.col(column).is_between(polars.lit(low), polars.lit(high)))
            assert frame.collect().height == want


def test_damaged_page_is_noticed(folder, tmp_path):
    source = folder / "full-30000.parquet"
    offset = pq.ParquetFile(source).metadata.row_group(0).column(4).data_page_offset
    damaged = bytearray(source.read_bytes())
    damaged[offset + 200] ^= 0x40
    (tmp_path / "damaged.parquet").write_bytes(damaged)
    with pytest.raises(OSError, match="(?i)crc"):
        pq.read_table(tmp_path / "damaged.parquet", columns=["c4"], page_checksum_verification=True)
