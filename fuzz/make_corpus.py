"""Write the seeds of fuzz/corpus: small CSV cases of tests/csv, packed files whole and damaged, expressions, messages.

Findings that a fuzzer made are kept beside them under names of their own (finding-*), which this leaves alone.
Run it again after the order of the choices in a target has changed: .venv/bin/python fuzz/make_corpus.py
"""

import gzip
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

import pyarrow

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "fuzz" / "corpus"


def place(values, value, otherwise=0):
    return values.index(value) if value in values else otherwise


def csv_choices(read, number):
    """The bytes that make DrawCase of csv_fuzz.cc choose this dialect, in its order."""
    return bytes([
        place([",", ";", "\t", "|"], read.get("delimiter", ",")),
        place(['"', "'", None], read.get("quote", '"')),
        place([None, "\\", '"'], read.get("escape")),
        place([None, "#"], read.get("comment")),
        place(["auto", "cr"], read.get("newline", "auto")),
        place(["standard", "strict", "lenient"], read.get("quotes", "standard"), number % 3),
        number % 3,  # nul
        place(["utf-8", "latin-1", "windows-1252", "latin-9", "utf-16le", "utf-16be", "utf-16"],
              read.get("encoding", "utf-8")),
        read.get("skip", 0) % 3,
        number // 2 % 3,  # max_record_bytes
        number % 3,  # nulls
        number // 3 % 3,  # on_error
        number % 12,  # condition
        3 if number % 2 else number % 4,  # columns
        number % 3,  # how many
        0, number % 9, number // 2 % 9,  # types
        number % 3,  # workers
        number % 2,  # order
        number * 7 % 250,  # chunk
        number * 13 % 250,  # window
        number % 4, number * 5 % 60,  # splits
        number % 8,  # packing
        number % 4,  # provenance
    ])


def csv_seeds():
    cases = json.loads((ROOT / "tests/csv/cases.json").read_text())["cases"]
    seen = set()
    for case in cases[::2]:
        file = ROOT / "tests/csv/data" / case["file"]
        if file.stat().st_size > 160 or file in seen:
            continue
        seen.add(file)
        yield file.stem, csv_choices(case["read"], len(seen)) + file.read_bytes()


def archive(method, zip64=False, comment=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, text in (("a.csv", b"a;b\n" + b"1;2\n" * 60), ("folder/b.csv", b"x\n")):
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with file.open(info, "w", force_zip64=zip64) as member:
                member.write(text)
        file.comment = comment
    return out.getvalue()


def changed(data, marker, offset, value):
    at = data.rindex(marker) + offset
    return data[:at] + value + data[at + len(value):]


def zip64_claim(size):
    """An archive of one stored byte whose ZIP64 fields claim other sizes."""
    name = b"a"
    local = b"PK\3\4" + struct.pack("<5H3I2H", 45, 0, 0, 0, 0, zlib.crc32(b"x"), 1, 1, len(name), 0) + name + b"x"
    extra = struct.pack("<2H3Q", 1, 24, size, size, 0)
    entry = b"PK\1\2" + struct.pack("<6H3I5H2I", 45, 45, 0, 0, 0, 0, zlib.crc32(b"x"), 0xFFFFFFFF, 0xFFFFFFFF, len(name),
                                    len(extra), 0, 0, 0, 0, 0xFFFFFFFF) + name + extra
    return local + entry + b"PK\5\6" + struct.pack("<4H2IH", 0, 0, 1, 1, len(entry), len(local), 0)


def zip_seeds():
    deflated, stored = archive(zipfile.ZIP_DEFLATED), archive(zipfile.ZIP_STORED)
    whole = {"deflated": deflated, "stored": stored, "zip64": archive(zipfile.ZIP_DEFLATED, zip64=True),
             "comment": archive(zipfile.ZIP_STORED, comment=b"PK\5\6 is no end"), "front": b"#!/bin/sh\n" + deflated,
             "nothing": b"PK\5\6" + bytes(18), "claims-much": zip64_claim(2**63 - 1), "claims-negative": zip64_claim(2**64 - 2),
             "claims-right": zip64_claim(1)}
    damaged = {"cut": deflated[:-30], "cut-early": deflated[:60], "flipped": changed(deflated, b"PK\3\4", 40, b"\xff"),
               "crc": changed(deflated, b"PK\1\2", 16, b"\0\0\0\0"), "size": changed(deflated, b"PK\1\2", 24, b"\xff\xff\0\0"),
               "method": changed(deflated, b"PK\1\2", 10, b"\x0c\0"), "shared": changed(stored, b"PK\1\2", 42, bytes(4)),
               "encrypted": changed(deflated, b"PK\1\2", 8, b"\1\0"), "entries": changed(deflated, b"PK\5\6", 8, b"\3\0\3\0"),
               "name": changed(deflated, b"PK\1\2", 28, b"\xff\xff"), "local-name": changed(stored, b"PK\3\4", 26, b"\xff\0")}
    for name, data in (whole | damaged).items():
        yield f"zip-{name}", b"\0" + data
    text = b"a;b\n" + bytes(range(256)) + b"1;2\n" * 40
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflate = raw.compress(text) + raw.flush()
    packed = gzip.compress(text, mtime=0)
    frame = pyarrow.compress(text, codec="zstd", asbytes=True)
    skippable = b"\x50\x2a\x4d\x18" + struct.pack("<I", 3) + b"abc"
    yield from {"deflate": b"\1" + deflate, "deflate-cut": b"\1" + deflate[:-9], "deflate-more": b"\1" + deflate + b"x",
                "gzip": b"\2" + packed, "gzip-two": b"\2" + packed + packed + bytes(3), "gzip-crc": b"\2" + packed[:-8] + bytes(8),
                "gzip-rubbish": b"\2" + packed + b"rubbish", "zstd": b"\3" + frame, "zstd-two": b"\3" + skippable + frame + frame,
                "zstd-cut": b"\3" + frame[:-7], "detected": b"\0" + packed, "plain": b"\0a;b\n"}.items()


def expr_seeds():
    number = 0
    for file in sorted((ROOT / "tests/frames/functions").glob("*.test")):
        lines = [line for line in file.read_text().splitlines() if " => " in line and not line.startswith("#")]
        for line in lines[::12]:
            number += 1
            yield f"{file.stem}-{number}", line.rsplit(" => ", 1)[0].split(" :: ")[0].encode()
    yield "case", b"case when a > 1.5e3 and not b is null then ${p} else x'00ff' end"
    yield "names", b'"two ""words""" || try_cast(c as decimal(5,2)) in (1, -2, null)'
    yield "lists", b"d between timestamp[UTC] '2026-01-01 00:00' and e or list_contains(f, 'x')"


def pipes_seeds():
    def line(method, params):
        return json.dumps({"__dagster_pipes_version": "0.1", "method": method, "params": params}).encode() + b"\n"

    def asset(**metadata):
        wrapped = {name: {"raw_value": value, "type": kind} for name, (kind, value) in metadata.items()}
        return {"asset_key": "raw/a\\/b", "data_version": None, "metadata": wrapped or None}

    column = {"name": "a", "type": "int", "constraints": {"nullable": False, "other": ["> 0"]}}
    error = {"message": "m", "name": None, "stack": ["f"], "cause": None, "context": None}
    lines = {"opened": line("opened", {"extras": {"x": 1}}), "closed": line("closed", {}), "closed-null": line("closed", None),
             "failed": line("closed", {"exception": {**error, "cause": error}}), "log": line("log", {"message": "m", "level": "warn"}),
             "stream": line("log_external_stream", {"stream": "stdout", "text": "a", "extras": {}}),
             "plain": line("report_asset_materialization", asset(i=("__infer__", 1), f=("float", 1.5), n=("null", 0))),
             "table": line("report_asset_materialization", asset(t=("table", {"records": [{"a": 1}], "schema": [column]}))),
             "lineage": line("report_asset_materialization", asset(l=("table_column_lineage", {"deps_by_column": {
                 "a": [{"asset_key": ["x", "y"], "column_name": "b"}]}}))),
             "check": line("report_asset_check", {"asset_key": "a", "check_name": "c", "passed": True, "severity": "WARN",
                                                  "metadata": None}),
             "custom": line("report_custom_message", {"payload": [1, {"a": None}]}),
             "nan": line("report_custom_message", {"payload": float("nan")}), "version": b'{"method": "closed", "params": {}}',
             "broken": b'{"__dagster_pipes_version": "0.1", "method": "cl', "number": b"5\n", "blank": b" \n\n"}
    for number, (name, data) in enumerate(lines.items()):
        yield name, bytes([number * 17 % 250, 0]) + data
    yield "all", bytes([6, 0]) + b"".join(lines.values())
    yield "cut", bytes([2, 1]) + b"".join(lines.values())


def parquet_seeds():
    columns = {"text": 0, "binary": 1, "int8": 2, "int16": 3, "int32": 4, "date": 5, "int64": 6, "timestamp": 7, "double": 8,
               "bool": 9, "decimal": 10, "decimal-bytes": 11}
    plain, dictionary, delta, lengths, prefixes, rle, split = 0, 1, 3, 4, 5, 6, 7

    def seed(column, encoding, values, page, entries=None, packed=b"", stride=2):
        """The bytes that make parquet_fuzz.cc choose this column, encoding and so on, in its order."""
        count = 0 if entries is None else entries + 1
        return bytes([columns[column], encoding, count, len(packed), values, stride]) + packed + page

    def texts(*values):
        return b"".join(struct.pack("<I", len(value)) + value for value in values)

    numbers = struct.pack("<8i", *range(8))
    whole = {name: seed(name, plain, 4, bytes(range(64))) for name in columns if name not in ("text", "binary")}
    yield from ((f"plain-{name}", data) for name, data in whole.items())
    words = texts(b"SP", b"", b"S\xc3\xa3o Paulo", b"RJ")
    yield "plain-text", seed("text", plain, 4, words)
    yield "plain-text-cut", seed("binary", plain, 5, words[:-1])
    yield "plain-text-long", seed("text", plain, 1, b"\xff\xff\xff\x7fab")
    yield "split", seed("double", split, 4, bytes(range(32)))
    yield "rle-bool", seed("bool", rle, 8, struct.pack("<I", 2) + b"\x03\x55")
    # Runs: 5 times number 2, then a group of 8 numbers of 2 bits.
    runs = b"\x02" + bytes([5 << 1, 2]) + bytes([1 << 1 | 1, 0b11100100, 0b00011011])
    yield "dictionary-text", seed("text", dictionary, 13, runs, 4, words)
    yield "dictionary-int", seed("int32", dictionary, 13, runs, 4, numbers[:16])
    yield "dictionary-outside", seed("int64", dictionary, 13, runs, 2, bytes(16))
    yield "dictionary-none", seed("text", dictionary, 13, runs)
    yield "dictionary-width", seed("text", dictionary, 3, b"\x21\x06\0\0\0\0\0", 4, words)
    # DELTA_BINARY_PACKED: blocks of 128, 4 miniblocks, 3 values from 7 on, least delta 1, widths 0.
    deltas = bytes([0x80, 1, 4, 3, 14, 2, 0, 0, 0, 0])
    yield "delta-int", seed("int64", delta, 3, deltas)
    yield "delta-lengths", seed("text", lengths, 3, bytes([0x80, 1, 4, 3, 2, 2, 0, 0, 0, 0]) + b"abbccc")
    yield "delta-prefixes", seed("text", prefixes, 1, bytes([0x80, 1, 4, 1, 0]) + bytes([0x80, 1, 4, 1, 4]) + b"ab")


def main():
    for target, seeds in (("csv", csv_seeds()), ("zip", zip_seeds()), ("expr", expr_seeds()),
                          ("parquet", parquet_seeds()), ("pipes", pipes_seeds())):
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            if not file.name.startswith("finding-"):
                file.unlink()
        for name, data in seeds:
            (folder / name).write_bytes(data)
        print(target, sum(1 for _ in folder.iterdir()))


if __name__ == "__main__":
    main()
