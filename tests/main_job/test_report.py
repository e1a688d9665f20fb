"""The report of a run adds up, on the terminal and in run.json, and says what joins did not match."""

import json

import pytest

from main_job.oracles import by_pandas, frame

GOOD, BAD, FILTERED = 40, 7, 13


@pytest.fixture
def report(project):
    """run.json of a run over two files with bad records and a filter."""
    lines = [f'"{i}";"keep"\n' for i in range(GOOD)] + [f'"{i}";"drop"\n' for i in range(FILTERED)] + ['"x"\n'] * BAD
    project.write("in/a.csv", "".join(lines[::2]) + "\n\n")
    project.write("in/b.csv", "".join(lines[1::2]))
    read = {"csv": "in/*.csv", "delimiter": ";", "columns": ["id", "what"], "on_error": "quarantine"}
    job = project.job({"ops": {"load": {
        "frames": {"rows": {"read": read, "steps": [{"filter": "what = 'keep'"}]}},
        "write": [{"frame": "rows", "parquet": "out/rows"}, {"frame": "rows", "csv": "out/rows.csv"}]}}})
    project.outcome = project.run_ok("run", job)
    return json.loads(project.path("out/rows.run.json").read_text())


def test_read_is_written_plus_filtered_plus_quarantined(project, report):
    assert report["state"] == "succeeded"
    for write in report["ops"]["load"]["writes"]:
        rows = write["rows"]
        assert (rows["read"], rows["written"], rows["filtered"], rows["quarantined"]) == (
            GOOD + BAD + FILTERED, GOOD, FILTERED, BAD)
        assert write["line"] == "read 60 = written 40 + filtered 13 + quarantined 7"
        assert write["line"] in project.outcome.err
    assert project.read("out/rows").num_rows == GOOD
    assert project.read("out/rows.quarantine").num_rows == BAD


def test_every_output_has_its_report_beside_it(project, report):
    assert json.loads(project.path("out/rows.csv.run.json").read_text())["run"] == report["run"]


def test_nothing_but_data_goes_to_stdout(project, report):
    assert project.outcome.out == ""


def test_main_job_reports_joins(project, root, dump):
    job = project.write("job.yaml", (root / "examples/active_companies/jobs/active_companies.yaml").read_text())
    outcome = project.run_ok("run", job, "--only", "load", "-p", f"input={dump}", "--json")
    run = outcome.json()
    [write] = run["ops"]["load"]["writes"]
    assert write["rows"]["read"] == 2006 and write["rows"]["written"] == 856
    assert write["rows"]["filtered"] == 2006 - 856 and write["rows"]["quarantined"] == 0
    active = by_pandas(dump)
    companies = {row for row in frame(dump, "empresas").cnpj_basico}
    unmatched = sum(row[0][:8] not in companies for row in active)
    [join] = [j for j in write["joins"] if "Empresas" in j["join"]]
    assert join["left_unmatched"] == unmatched > 0
    assert join["right"]["read"] == 2006
    assert join["right_unmatched"] == len(companies - {row[0][:8] for row in active})
