"""Files damaged on purpose: the right rows, the right quarantine, the right exit code, and nothing half written."""

import gzip
import zipfile

import pytest

from harness.zips import make_zip, with_bad_crc, with_encrypted_flag

MEMBER = "F.K03200$Z.D51213.MOTICSV"
GOOD = b'"00";"SEM MOTIVO"\n"01";"EXTINCAO"\n"02";"INCORPORACAO"\n'
GOOD_ROWS = [("00", "SEM MOTIVO"), ("01", "EXTINCAO"), ("02", "INCORPORACAO")]
BAD_INPUT = 3


def job(project, read=None, csv="in/*", steps=None):
    frame = {"read": {"csv": csv, "layout": "cnpj/motivos", **(read or {})}}
    if steps:
        frame["steps"] = steps
    return project.job({"ops": {"load": {"frames": {"rows": frame},
                                         "write": [{"frame": "rows", "parquet": "out/rows", "mode": "overwrite"}]}}})


def rows(project, name="out/rows"):
    table = project.read(name)
    return sorted(zip(table["codigo"].to_pylist(), table["descricao"].to_pylist()), key=str)


def quarantined(project):
    return sorted(project.read("out/rows.quarantine").to_pylist(), key=lambda r: (r["source"], r["member"] or "", r["byte_offset"]))


def assert_failed_without_a_trace(project, outcome, *said):
    assert outcome.code == BAD_INPUT, outcome
    for text in said:
        assert text.lower() in outcome.err.lower(), outcome
    assert "internal" not in outcome.err.lower(), outcome
    assert not [name for name in project.files() if name.endswith(".parquet")], project.files()


READABLE = {
    "doubled quotes": (b'"00";"A ""B"" C"\n"01";""""\n', [("00", 'A "B" C'), ("01", '"')]),
    "delimiter inside quotes": (b'"00";"A;B"\n"01";";"\n', [("00", "A;B"), ("01", ";")]),
    "newline inside quotes": (b'"00";"A\nB"\n"01";"\r\n"\n', [("00", "A\nB"), ("01", "\r\n")]),
    "blank lines": (b'\n"00";"A"\n\n\r\n"01";"B"\n\n', [("00", "A"), ("01", "B")]),
    "no final line end": (b'"00";"A"\n"01";"B"', [("00", "A"), ("01", "B")]),
    "CRLF and LF mixed": (b'"00";"A"\r\n"01";"B"\n', [("00", "A"), ("01", "B")]),
    "NUL bytes are dropped": (b'"00";"A\0B"\n"\x0001";"\0"\n', [("00", "AB"), ("01", None)]),
    "bytes 0x80 to 0x9F in Latin-1": (b'"00";"A\x80\x81\x9f"\n"01";"\xc7\xc3O"\n', [("00", "A\x80\x81\x9f"), ("01", "ÇÃO")]),
    "every high byte": (b'"00";"' + bytes(range(0x80, 0x100)) + b'"\n', [("00", bytes(range(0x80, 0x100)).decode("latin-1"))]),
    "backslash is a letter": (b'"00";"A\\"\n"01";"\\N"\n', [("00", "A\\"), ("01", "\\N")]),
    "quote inside an unquoted field": (b'00;A"B\n"01";B\n', [("00", 'A"B'), ("01", "B")]),
    "empty is null": (b'"00";""\n01;\n', [("00", None), ("01", None)]),
    "empty file": (b"", []),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "zipped"])
@pytest.mark.parametrize("content, expected", READABLE.values(), ids=READABLE.keys())
def test_reads_all_of(project, content, expected, packed):
    if packed:
        project.write("in/Motivos.zip", make_zip({MEMBER: content}))
    else:
        project.write("in/Motivos.csv", content)
    project.run_ok("run", job(project))
    assert rows(project) == expected
    assert not project.path("out/rows.quarantine").exists()


# content, good rows, [(line, byte offset, raw)] of the bad ones
BAD_RECORDS = {
    "a field too many": (b'"00";"A"\n"01";"B";"C"\n"02";"D"\n', [("00", "A"), ("02", "D")], [(2, 9, b'"01";"B";"C"')]),
    "a field too few": (b'"00"\n"01";"B"\n', [("01", "B")], [(1, 0, b'"00"')]),
    "a file cut inside quotes": (b'"00";"A"\n"01";"INCORP', [("00", "A")], [(2, 9, b'"01";"INCORP')]),
    "a file cut between fields": (b'"00";"A"\n"01"', [("00", "A")], [(2, 9, b'"01"')]),
    "text after a closing quote": (b'"00";"A"x\n"01";"B"\n', [("01", "B")], [(1, 0, b'"00";"A"x')]),
    "a bad record after a quoted newline": (b'"00";"A\nB"\n"01"\n"02";"C"\n', [("00", "A\nB"), ("02", "C")], [(3, 11, b'"01"')]),
    "a bad record after blank lines": (b'\n\n"00"\n"01";"B"\n', [("01", "B")], [(3, 2, b'"00"')]),
    "two of them": (b'"00"\n"01";"B"\n"02";"C";\n', [("01", "B")], [(1, 0, b'"00"'), (3, 14, b'"02";"C";')]),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "zipped"])
@pytest.mark.parametrize("content, good, bad", BAD_RECORDS.values(), ids=BAD_RECORDS.keys())
def test_quarantines(project, content, good, bad, packed):
    if packed:
        project.write("in/Motivos.zip", make_zip({MEMBER: content}))
    else:
        project.write("in/Motivos.csv", content)
    project.run_ok("run", job(project, {"on_error": "quarantine"}))
    assert rows(project) == good
    found = quarantined(project)
    assert [(r["line"], r["byte_offset"], r["raw"]) for r in found] == bad
    for row in found:
        assert row["source"].endswith("in/Motivos.zip" if packed else "in/Motivos.csv")
        assert (row["member"] or "") == (MEMBER if packed else "")
        assert row["reason"]


@pytest.mark.parametrize("content, good, bad", BAD_RECORDS.values(), ids=BAD_RECORDS.keys())
def test_fails_on(project, content, good, bad):
    project.write("in/Motivos.csv", content)
    outcome = project.run("run", job(project, {"on_error": "fail"}))
    assert_failed_without_a_trace(project, outcome, "Motivos.csv")
    assert any(f"line {line}" in outcome.err or f":{line}" in outcome.err for line, _, _ in bad), outcome


def test_fails_by_default(project):
    project.write("in/Motivos.csv", b'"00"\n')
    assert_failed_without_a_trace(project, project.run("run", job(project)), "Motivos.csv")


def test_on_error_null_fills_short_records_and_sets_long_ones_aside(project):
    project.write("in/Motivos.csv", b'"00"\n"01";"B"\n"02";"C";"D"\n')
    project.run_ok("run", job(project, {"on_error": "null"}))
    assert rows(project) == [("00", None), ("01", "B")]
    assert [r["raw"] for r in quarantined(project)] == [b'"02";"C";"D"']


@pytest.mark.parametrize("max_errors, fails", [(1, True), (2, False), ("30%", True), ("50%", False)])
def test_max_errors_turns_quarantine_into_failure(project, max_errors, fails):
    project.write("in/Motivos.csv", GOOD + b'"03"\n"04"\n')
    outcome = project.run("run", job(project, {"on_error": "quarantine", "max_errors": max_errors}))
    if fails:
        assert_failed_without_a_trace(project, outcome, "max_errors")
    else:
        assert outcome.code == 0 and rows(project) == GOOD_ROWS, outcome


WHOLE = make_zip({MEMBER: GOOD * 2000})
BROKEN_ARCHIVES = {
    "bad CRC": (with_bad_crc(WHOLE), "crc"),
    "bad CRC, stored": (with_bad_crc(make_zip({MEMBER: GOOD}, zipfile.ZIP_STORED)), "crc"),
    "cut in the middle": (WHOLE[: len(WHOLE) // 2], ""),
    "cut at the end": (WHOLE[:-1], ""),
    "data overwritten": (WHOLE[:60] + b"\xff" * 40 + WHOLE[100:], ""),
    "encrypted": (with_encrypted_flag(WHOLE), "encrypt"),
    "not a ZIP at all": (b"<html>404</html>\n" * 10, ""),
    "a file of no bytes": (b"", ""),
    "no member": (make_zip({}), ""),
}


@pytest.mark.parametrize("on_error", ["fail", "quarantine"])
@pytest.mark.parametrize("content, said", BROKEN_ARCHIVES.values(), ids=BROKEN_ARCHIVES.keys())
def test_a_broken_archive_fails_the_run(project, content, said, on_error):
    project.write("in/Motivos.zip", content)
    outcome = project.run("run", job(project, {"on_error": on_error}, csv="in/*.zip"))
    assert_failed_without_a_trace(project, outcome, "Motivos.zip", said)


GZIPPED = gzip.compress(GOOD * 2000)


@pytest.mark.parametrize("on_error", ["fail", "quarantine"])
@pytest.mark.parametrize("name", ["Motivos.csv.gz", "Motivos.csv.zst"])
@pytest.mark.parametrize("content", [b"", GZIPPED[:1], GZIPPED[:2], GZIPPED[:9], GZIPPED[:-1], GZIPPED[:-8], GZIPPED[: len(GZIPPED) // 2],
                                     GZIPPED[:-5] + b"\0" + GZIPPED[-4:], b"<html>404</html>\n" * 10, GOOD],
                         ids=["no bytes", "one byte", "two bytes", "header", "last byte cut", "checksum cut", "cut",
                              "bad CRC", "web page", "not packed"])
def test_a_damaged_packed_file_fails_the_run(project, name, content, on_error):
    project.write(f"in/{name}", content)
    outcome = project.run("run", job(project, {"on_error": on_error}))
    assert_failed_without_a_trace(project, outcome, name)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_mark_of_another_encoding_is_no_latin_1(project, encoding):
    content = '"00";"EXTINÇÃO"\n'.encode(encoding)
    project.write("in/Motivos.csv", content)
    outcome = project.run("run", job(project))
    right = "utf-8" if encoding == "utf-8-sig" else "utf-16"
    assert_failed_without_a_trace(project, outcome, f"mark of {right}", f"encoding: {right}")
    project.run_ok("run", job(project, {"encoding": right}))
    assert rows(project) == [("00", "EXTINÇÃO")]


def test_reads_every_member_of_an_archive(project):
    project.write("in/Motivos.zip", make_zip({"a.MOTICSV": GOOD, "b.MOTICSV": b'"03";"X"\n"04"\n'}))
    project.run_ok("run", job(project, {"on_error": "quarantine"}))
    assert rows(project) == GOOD_ROWS + [("03", "X")]
    [bad] = quarantined(project)
    assert (bad["member"], bad["line"], bad["byte_offset"], bad["raw"]) == ("b.MOTICSV", 2, 9, b'"04"')


@pytest.mark.parametrize("csv", ["in/Motivos.zip", "in/*.zip", "nowhere/*.csv"])
def test_a_missing_file_is_named(project, csv):
    outcome = project.run("run", job(project, csv=csv))
    assert_failed_without_a_trace(project, outcome, csv)


def test_one_bad_file_among_good_ones_fails_all(project):
    project.write("in/a.csv", GOOD * 5000)
    project.write("in/b.csv", b'"00"\n')
    assert_failed_without_a_trace(project, project.run("run", job(project)), "b.csv")


@pytest.mark.parametrize("content", [b'"00"\n', b'"00";"X'], ids=["short record", "cut file"])
def test_the_old_output_stays_when_a_run_fails(project, content):
    project.write("in/Motivos.csv", GOOD)
    name = job(project)
    project.run_ok("run", name)
    before = {f: project.path(f).read_bytes() for f in project.files("out/rows") and project.files() if "out/rows/" in f}
    project.write("in/Motivos.csv", content)
    assert project.run("run", name).code == BAD_INPUT
    assert rows(project) == GOOD_ROWS
    assert {f: project.path(f).read_bytes() for f in before} == before
    assert not [f for f in project.files("out") if "staging" in f]


def test_a_value_that_does_not_convert_is_named(project):
    project.write("in/Motivos.csv", GOOD + b'"x3";"BAD"\n')
    outcome = project.run("run", job(project, steps=[{"derive": {"codigo": "cast(codigo as int32)"}}]))
    assert_failed_without_a_trace(project, outcome, "x3")


def test_quarantine_step_moves_rows_with_their_place(project):
    project.write("in/Motivos.csv", GOOD)
    project.run_ok("run", job(project, steps=[{"quarantine": {"when": "codigo = '01'", "reason": "not wanted"}}]))
    assert rows(project) == [GOOD_ROWS[0], GOOD_ROWS[2]]
    [row] = quarantined(project)
    assert (row["line"], row["byte_offset"], row["raw"], row["reason"]) == (2, 18, b'"01";"EXTINCAO"', "not wanted")
