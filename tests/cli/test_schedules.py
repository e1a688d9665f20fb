"""`mutirao schedules`: when the jobs of a project are to run."""

import json

import pytest

USAGE, INPUT = 2, 3

JOB = """\
name: sales
ops:
  go: {command: ["true"]}
schedules:
  - {name: monthly, cron: "0 6 15 * *", timezone: America/Sao_Paulo, start: 2027-01-01, end: "2027-03-20"}
  - {name: nightly, cron: "30 2 * * *", timezone: America/New_York, catch_up: none, overlap: queue, jitter: 5m}
"""


def ticks(project, *arguments):
    outcome = project.run("schedules", "next", *arguments, "--json")
    assert outcome.code == 0, outcome.err
    return [tick["time"] for tick in json.loads(outcome.out)]


def test_ticks_of_a_rule(project):
    assert ticks(project, "--cron", "0 6 15 * *", "--tz", "America/Sao_Paulo", "--from", "2026-11-22", "-n", "2") == [
        "2026-12-15T09:00:00.000000Z", "2027-01-15T09:00:00.000000Z"]


def test_ticks_of_a_schedule_keep_its_limits(project):
    project.write("jobs/sales.yaml", JOB)
    expected = ["2027-01-15T09:00:00.000000Z", "2027-02-15T09:00:00.000000Z", "2027-03-15T09:00:00.000000Z"]
    assert ticks(project, "monthly", "--from", "2026-11-22", "-n", "9") == expected
    assert ticks(project, "sales.monthly", "--from", "2027-03-15T06:00", "-n", "9") == expected[2:]


def test_a_time_that_does_not_exist_runs_after_the_gap(project):
    project.write("jobs/sales.yaml", JOB)
    outcome = project.run("schedules", "next", "nightly", "--from", "2026-03-08", "-n", "2")
    assert outcome.out.splitlines() == ["2026-03-08 03:00 -04:00  2026-03-08T07:00:00.000000Z",
                                        "2026-03-09 02:30 -04:00  2026-03-09T06:30:00.000000Z"]


def test_list(project):
    project.write("jobs/sales.yaml", JOB)
    listed = json.loads(project.run("schedules", "--json").out)
    assert [(s["job"], s["name"], s["cron"]) for s in listed] == [
        ("sales", "monthly", "0 6 15 * *"), ("sales", "nightly", "30 2 * * *")]
    assert "sales.nightly  30 2 * * *  America/New_York  next " in project.run("schedules").out


def test_no_schedules(project):
    outcome = project.run("schedules")
    assert outcome.code == 0 and outcome.out == "" and "no job in jobs/ has schedules" in outcome.err
    assert json.loads(project.run("schedules", "--json").out) == []


@pytest.mark.parametrize("arguments, code, said", [
    (["next"], USAGE, "NAME or --cron"),
    (["next", "--cron", "0 25 * * *"], INPUT, "25 is no hour"),
    (["next", "--cron", "@daily", "--tz", "America/Sao_Paolo"], INPUT, 'did you mean "America/Sao_Paulo"?'),
    (["next", "--cron", "@daily", "--from", "soon"], INPUT, '--from: "soon" is no point in time'),
    (["next", "--tz", "UTC"], USAGE, "--cron"),
    (["next", "montly"], INPUT, 'did you mean "monthly"?'),
])
def test_wrong_calls(project, arguments, code, said):
    project.write("jobs/sales.yaml", JOB)
    outcome = project.run("schedules", *arguments)
    assert outcome.code == code and said in outcome.err, outcome.err


def test_faults_of_a_schedule_all_at_once(project):
    project.write("jobs/sales.yaml", JOB.replace("0 6 15 * *", "0 6 32 * *").replace("New_York", "NewYork")
                  .replace("2027-01-01", "2028-01-01"))
    outcome = project.run("check", "jobs/sales.yaml")
    assert outcome.code == INPUT
    for said in ("jobs/sales.yaml:5:32", "32 is no day of month", 'did you mean "America/New_York"?', "ends before it starts"):
        assert said in outcome.err, outcome.err
