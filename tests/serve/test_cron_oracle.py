"""Ticks around changes of clocks, against a walk over every minute with Python's zoneinfo."""

import json
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

UTC = timezone.utc
# Transitions: forward and back by an hour, at midnight, and by half an hour.
CASES = [("America/New_York", "2026-03-07"), ("America/New_York", "2026-10-31"), ("America/Sao_Paulo", "2018-11-03"),
         ("Australia/Lord_Howe", "2026-04-04"), ("America/Havana", "2026-10-31")]
RULES = {"30 2 * * *": (lambda t: (t.hour, t.minute) == (2, 30), False),
         "0,30 0,1,2 * * *": (lambda t: t.hour in (0, 1, 2) and t.minute in (0, 30), False),
         "15 * * * *": (lambda t: t.minute == 15, True),
         "*/20 * * * *": (lambda t: t.minute % 20 == 0, True)}


def expected(zone, begin, end, matches, every_hour):
    zone, minute = ZoneInfo(zone), timedelta(minutes=1)
    if every_hour:  # elapsed time: every minute that there is
        at = begin
        while at < end:
            if matches(at.astimezone(zone)):
                yield at
            at += minute
        return
    found = set()
    local = begin.replace(tzinfo=None) - timedelta(days=2)
    while local < end.replace(tzinfo=None) + timedelta(days=2):
        if matches(local):
            at = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
            if at.astimezone(zone).replace(tzinfo=None) != local:  # it does not exist: the first minute after the gap
                at -= timedelta(hours=3)
                while at.astimezone(zone).replace(tzinfo=None) < local:
                    at += minute
            found.add(at)
        local += minute
    yield from sorted(at for at in found if begin <= at < end)


@pytest.mark.parametrize("zone, day", CASES)
def test_ticks_are_those_of_a_plain_walk(project, zone, day):
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
    end = begin + timedelta(days=3)
    for rule, (matches, every_hour) in RULES.items():
        wanted = list(expected(zone, begin, end, matches, every_hour))
        listed = project.run_ok("schedules", "next", "--cron", rule, "--tz", zone, "--from", f"{day}T00:00Z",
                                "-n", str(len(wanted) + 3), "--json").json()
        times = [datetime.fromisoformat(tick["time"].replace("Z", "+00:00")) for tick in listed]
        assert [time for time in times if time < end] == wanted, rule
