"""Real files of the register, each damaged at random in one way: every row, bad record and count as a plain reader has them."""

import gzip
import json
import random
import zipfile
from collections import Counter

import pytest

from harness.cnpj import LAYOUTS
from harness.plain_reader import read
from harness.zips import make_zip

BAD_INPUT = 3
TABLES = {"estabelecimentos": "Estabelecimentos0.zip", "empresas": "Empresas0.zip", "simples": "Simples.zip", "motivos": "Motivos.zip"}
PLAIN = (ord("\n"), ord('"'), ord(";"))


def cut(chance, content):
    return content[: chance.randrange(len(content))]


def nul_bytes(chance, content):
    at = chance.randrange(len(content))
    return content[:at] + b"\0" * chance.choice([1, 4096, 70_000]) + content[at + chance.choice([0, 512]):]


def other_widths(chance, content):
    lines = content.split(b"\n")
    for _ in range(20):
        i = chance.randrange(len(lines) - 1)
        fields = lines[i].split(b";")
        fields.insert(chance.randrange(len(fields)), b'"x"') if chance.random() < 0.5 else fields.pop()
        lines[i] = b";".join(fields)
    return b"\n".join(lines)


def within_fields(chance, content, count, make):
    """Replace some bytes inside values."""
    changed = bytearray(content)
    for _ in range(count):
        at = chance.randrange(1, len(changed) - 1)
        if changed[at] not in PLAIN and changed[at - 1] not in PLAIN and changed[at + 1] not in PLAIN:
            changed[at:at + 1] = make()
    return bytes(changed)


def high_bytes(chance, content):
    return within_fields(chance, content, 200, lambda: bytes([chance.randrange(0x80, 0xA0)]))


def quoted_newlines(chance, content):
    return within_fields(chance, content, 100, lambda: chance.choice([b"\n", b"\r\n", b"\r", b'\n"";""\n', b'""', b";"]))


def stray_quotes(chance, content):
    changed = bytearray(content)
    for _ in range(chance.choice([1, 2, 20])):
        changed.insert(chance.randrange(len(changed)), ord('"'))
    return bytes(changed)


def line_ends(chance, content):
    return b"".join(line + chance.choice([b"\n", b"\r\n", b"\n\n", b"\r\n\r\n"]) for line in content.split(b"\n")[:-1])


def lost_blocks(chance, content):
    at, other = chance.randrange(len(content)), chance.randrange(len(content))
    return content[:at] + content[other:other + chance.choice([0, 512, 4096])] + content[at + 512:]


def any_bytes(chance, content):
    changed = bytearray(content)
    for _ in range(chance.choice([3, 300])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def packed(how, content):
    return {"csv": lambda: content, "gz": lambda: gzip.compress(content, 1),
            "zip": lambda: make_zip({"K3241.K03200Y0.D51213": content})}[how]()


DAMAGES = [cut, nul_bytes, other_widths, high_bytes, quoted_newlines, stray_quotes, line_ends, lost_blocks, any_bytes]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_keeps_what_is_whole_and_sets_the_rest_aside(project, dump, damage, table):
    chance = random.Random(f"{damage.__name__} {table}")
    with zipfile.ZipFile(dump / TABLES[table]) as archive:
        content = damage(chance, archive.read(archive.namelist()[0]))
    how = chance.choice(["csv", "zip", "gz"])
    project.write(f"in.{how}", packed(how, content))
    rows, bad, blank_lines = read(content, len(LAYOUTS[table]))
    frame = {"read": {"csv": f"in.{how}", "layout": f"cnpj/{table}", "on_error": "quarantine"}}
    job = {"ops": {"load": {"frames": {"rows": frame}, "write": [{"frame": "rows", "parquet": "out"}]}}}
    project.run_ok("run", project.job(job))
    found = project.read("out")
    assert Counter(zip(*(column.to_pylist() for column in found.columns))) == Counter(rows)
    aside = project.read("out.quarantine").to_pylist() if bad else []
    assert sorted((row["byte_offset"], row["raw"]) for row in aside) == bad
    assert all(row["line"] == content.count(b"\n", 0, row["byte_offset"]) + 1 for row in aside)
    op = json.loads(project.path("out.run.json").read_text())["ops"]["load"]
    counts = op["writes"][0]["rows"]
    assert (counts["read"], counts["written"], counts["quarantined"]) == (len(rows) + len(bad), len(rows), len(bad))
    assert op["sources"][0]["blank_lines"] == blank_lines
    frame["read"]["on_error"] = "fail"
    if bad:
        outcome = project.run("run", project.job({"ops": {"load": {"frames": {"rows": frame}, "write": [
            {"frame": "rows", "parquet": "strict"}]}}}))
        assert outcome.code == BAD_INPUT and not [name for name in project.files() if name.startswith("strict")], outcome
