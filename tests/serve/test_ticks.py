"""Schedules in the life of real servers: exactly one run for each tick, whatever happens to servers and clocks.

The clock is libfaketime's, which reads how far it is ahead from a file, so that it can be set while servers run.
Nothing starts (max_runs: 0): what is counted are decisions.
"""

import glob
import signal
from datetime import datetime, timedelta

import pytest

from harness.postgres import Postgres, programs
from harness.server import Server, end_workers, runs, until

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
needs_faketime = pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed")


def job(project, name="j", **schedule):
    project.job({"ops": {"a": {"command": ["true"]}},
                 "schedules": [{"name": "s", "cron": "* * * * *", "overlap": "queue", **schedule}]}, name)


class Clock:
    """The clock of all servers of a test."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.set(0)

    def set(self, seconds):
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self.file)
        self.ahead = seconds

    def environment(self):
        return {"LD_PRELOAD": FAKETIME[0], "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}


@pytest.fixture
def clock(tmp_path_factory):
    return Clock(tmp_path_factory.mktemp("clock"))


def leads(project):
    return "mutirao_leader 1" in project.run_ok("metrics").out


def ticks(project):
    listed = runs(project, "--schedule", "s", "-n", "10000")
    times = sorted(datetime.fromisoformat(r["tick"].replace("Z", "+00:00")) for r in listed)
    assert len(times) == len(set(times)), "two runs of one tick"
    return times


def settings(project, more=""):
    project.write("mutirao.yaml", "queue: {max_runs: 0}\n" + more)


@needs_faketime
@pytest.mark.parametrize("catch_up, expected", [("none", 0), ("latest", 1), ("all", 20)])
def test_a_month_off(project, serve, clock, catch_up, expected):
    settings(project)
    job(project, cron="0 0 * * *", catch_up=catch_up, catch_up_limit=20)
    clock.set(-30 * 86400)
    before = serve(env=clock.environment())
    until(lambda: leads(project))
    before.stop()
    serve()
    decided = until(lambda: (found := project.run_ok("schedules", "ticks", "s", "-n", "100", "--json").json()) and
                    len(found) > expected and found)
    assert len(ticks(project)) == expected
    passed = [tick for tick in decided if tick["state"] == "skipped"]
    assert len(passed) == 1 and "all ticks since" in passed[0]["reason"]


@needs_faketime
@pytest.mark.parametrize("point", ["schedule.leading", "schedule.deciding:3", "schedule.decided", "schedule.decided:4"])
def test_killed_between_any_two_steps(project, serve, clock, point):
    settings(project)
    job(project, cron="0 0 * * *", catch_up="all")
    clock.set(-10 * 86400)
    before = serve(env=clock.environment())
    until(lambda: leads(project))
    before.stop()
    killed = Server(project, env={"MUTIRAO_FAIL_AT": point}, ready=False)
    killed.process.stdout.read()
    assert killed.stop() == 137
    serve()
    until(lambda: len(ticks(project)) == 10)
    assert ticks(project)[-1] - ticks(project)[0] == timedelta(days=9)


def test_enabled_and_disabled(project, serve):
    settings(project)
    job(project)
    serve()
    until(lambda: leads(project))
    project.run_ok("schedules", "disable", "s")
    assert project.run_ok("schedules", "--json").json()[0]["enabled"] is False
    assert "disabled" in project.run_ok("schedules").out
    project.run_ok("schedules", "enable", "j.s")
    assert project.run_ok("schedules", "--json").json()[0]["enabled"] is True
    outcome = project.run("schedules", "disable", "none")
    assert outcome.code == 3 and "there is no schedule" in outcome.err


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request, new_project, clock):
    """Two projects with the same files on one store, and what starts their servers."""
    one, two = new_project("one"), new_project("two")
    if request.param == "postgresql" and not programs():
        pytest.skip("PostgreSQL is not installed")
    database = Postgres() if request.param == "postgresql" else None
    store = {"MUTIRAO_STORE": database.uri if database else f"sqlite:{one.path('shared.db')}"}
    servers = []

    def start(project):
        servers.append(Server(project, env={**store, **clock.environment()}))
        return servers[-1]

    for project in (one, two):
        settings(project)
        job(project, catch_up="all")
        run = project.run
        project.run = lambda *a, run=run, **o: run(*a, env=store, **o)
    yield one, two, start
    for server in servers:
        server.process.send_signal(signal.SIGCONT)
        server.stop(signal.SIGKILL)
    end_workers(one)
    end_workers(two)
    if database:
        database.stop()


@needs_faketime
def test_two_servers_on_one_store(pair, clock):
    one, two, start = pair
    first, second = start(one), start(two)
    until(lambda: leads(one) or leads(two))

    def forward(minutes):
        """Put the clock forward, and wait until somebody has decided what is due."""
        before = len(ticks(one))
        clock.set(clock.ahead + minutes * 60)
        until(lambda: len(ticks(one)) >= before + minutes)

    forward(3)
    # One of the two leads. Whichever it is: it hangs, wakes up, and the other dies.
    first.process.send_signal(signal.SIGSTOP)
    forward(2)
    first.process.send_signal(signal.SIGCONT)
    forward(2)
    second.stop(signal.SIGKILL)
    forward(2)
    # The clock is put back; what was is not repeated.
    clock.set(clock.ahead - 240)
    first.stop(signal.SIGKILL)
    start(two)
    until(lambda: leads(two))
    clock.set(clock.ahead + 240)
    forward(2)
    times = ticks(one)
    assert {b - a for a, b in zip(times, times[1:])} == {timedelta(minutes=1)}, "a tick has no run"
