"""The generator of register-like data: same seed, same bytes; same kind of rows at every size."""

import gzip
import hashlib
import json
import os
import subprocess
import zipfile
from pathlib import Path

import duckdb
import pytest

from harness.cnpj import check_digits


@pytest.fixture(scope="module")
def datagen(root):
    return Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev")) / "bin" / "mutirao-datagen"


@pytest.fixture
def make(datagen, tmp_path):
    """Write a table and give (path, what the generator says about it)."""

    def run(table, name, *arguments):
        path = tmp_path / name
        done = subprocess.run([datagen, table, path, *map(str, arguments)], capture_output=True, check=True, text=True)
        return path, json.loads(done.stdout)

    return run


def scan(path, encoding="latin-1"):
    return (f"read_csv('{path}', delim=';', header=false, all_varchar=true, quote='\"', escape='\"', "
            f"encoding='{encoding}', strict_mode=true)")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_threads_do_not_change_a_byte(make):
    one, _ = make("establishments", "one.csv", "--rows", 50_000, "--threads", 1)
    four, _ = make("establishments", "four.csv", "--rows", 50_000, "--threads", 4)
    other, _ = make("establishments", "other.csv", "--rows", 50_000, "--seed", 2)
    assert digest(one) == digest(four) != digest(other)


@pytest.mark.parametrize("table", ["establishments", "companies"])
def test_packed_files_hold_the_plain_ones(make, table):
    plain, said = make(table, "x.csv", "--rows", 30_000)
    zipped, _ = make(table, "x.zip", "--rows", 30_000)
    gzipped, _ = make(table, "x.gz", "--rows", 30_000)
    assert gzip.decompress(gzipped.read_bytes()) == plain.read_bytes()
    with zipfile.ZipFile(zipped) as archive:
        assert archive.testzip() is None
        [member] = archive.infolist()
        assert archive.read(member) == plain.read_bytes()
        assert ("ESTABELE" if table == "establishments" else "EMPRECSV") in member.filename
    assert said["bytes"] == plain.stat().st_size == member.file_size


def test_utf8_copy_says_the_same(make):
    latin, _ = make("establishments", "l.csv", "--rows", 20_000)
    utf8, _ = make("establishments", "u.csv", "--rows", 20_000, "--utf8")
    assert latin.read_bytes().decode("latin-1") == utf8.read_bytes().decode("utf-8")


def shares(path):
    return duckdb.sql(f"""
        select avg((column05 = '02')::int), avg((column19 = 'SP')::int), avg((column04 is null)::int),
               avg(regexp_matches(column14, '[^ -~]')::int), avg(strlen(column27)), avg((column01 = '0001')::int),
               avg((column11 = '0111301')::int), avg(strlen(column12))
        from {scan(path)}""").fetchall()[0]


def test_shares_do_not_depend_on_the_size(make):
    small, said = make("establishments", "small.csv", "--rows", 40_000)
    large, _ = make("establishments", "large.csv", "--rows", 400_000)
    for a, b in zip(shares(small), shares(large)):
        assert a == pytest.approx(b, rel=0.05, abs=0.004)
    assert shares(large)[0] == pytest.approx(0.40, abs=0.005)
    assert shares(large)[3] == pytest.approx(0.05, abs=0.005)
    assert small.stat().st_size / said["rows"] == pytest.approx(246, rel=0.02)
    assert duckdb.sql(f"select count(*) filter (column05 = '02') from {scan(small)}").fetchall()[0][0] == said["active"]


def test_codes_repeat_as_in_the_register(make):
    path, said = make("establishments", "e.csv", "--rows", 100_000)
    states, activities, frequent = duckdb.sql(f"""
        with counts as (select column11, count(*) as n from {scan(path)} group by all order by n desc limit 100)
        select count(distinct column19), count(distinct column11), (select sum(n) from counts) / count(*)
        from {scan(path)}""").fetchall()[0]
    assert states == 28 and 1300 <= activities <= 1332
    assert frequent == pytest.approx(0.58, abs=0.02)


def test_texts_hold_what_makes_parsing_hard(make):
    path, said = make("establishments", "e.csv", "--rows", 100_000)
    quotes, delimiters, upper, lower = duckdb.sql(f"""
        select count(*) filter (contains(column04, '"')), count(*) filter (contains(column04, ';')),
               count(*) filter (regexp_matches(column14, '[À-Þ]')), count(*) filter (regexp_matches(column14, '[à-ÿ]'))
        from {scan(path)}""").fetchall()[0]
    assert 0 < quotes < 20 and 0 < delimiters < 40 and upper > lower > 0
    assert path.read_bytes().count(b'"""') >= quotes


def test_packed_size_is_near_that_of_the_register(make):
    zipped, said = make("establishments", "x.zip", "--rows", 60_000)
    assert 3.2 <= said["bytes"] / zipped.stat().st_size <= 3.4


def test_establishments_belong_to_companies(make):
    establishments, said = make("establishments", "e.csv", "--rows", 50_000)
    companies, _ = make("companies", "c.csv", "--rows", said["companies"])
    roots, matched, sorted_ = duckdb.sql(f"""
        with c as (select column0 as root, row_number() over () as n from {scan(companies)})
        select (select count(distinct root) from c),
               (select count(*) from {scan(establishments)} e semi join c on e.column00 = c.root),
               (select bool_and(root > prior) from (select root, lag(root) over (order by n) as prior from c) where prior is not null)
    """).fetchall()[0]
    assert roots == said["companies"] and sorted_
    assert matched / said["rows"] == pytest.approx(0.995, abs=0.002)


def test_check_digits_are_valid(make):
    path, _ = make("establishments", "e.csv", "--rows", 2_000)
    for line in path.read_text("latin-1").splitlines():
        root, order, digits = (part.strip('"') for part in line.split(";")[:3])
        assert check_digits(root + order) == digits


def test_dirty_rows_are_as_many_as_it_says(make):
    path, said = make("establishments", "d.csv", "--rows", 20_000, "--dirty", 0.02)
    content = path.read_bytes()
    dirty = said["dirty"]
    assert sum(dirty.values()) == pytest.approx(400, rel=0.2)
    assert content.count(b"\0") == dirty["nul"] and content.count(b"\x81") == dirty["c1_byte"]
    assert content.count(b"\n") == said["rows"] + dirty["quoted_newline"]
    widths = [record.count(b'";"') for record in content.replace(b"A\nB", b"").splitlines()]
    assert (widths.count(28), widths.count(30)) == (dirty["field_missing"], dirty["field_too_many"])


@pytest.mark.parametrize("arguments", [
    ["establishments"], ["people", "x.csv", "--rows", "1"], ["companies", "x.csv"],
    ["companies", "x.csv", "--size", "12 parsecs"], ["companies", "x.csv", "--rows", "90000000"],
])
def test_refuses_what_it_cannot_make(datagen, arguments, tmp_path):
    done = subprocess.run([datagen, *arguments], capture_output=True, cwd=tmp_path)
    assert done.returncode == 2 and not list(tmp_path.iterdir())
