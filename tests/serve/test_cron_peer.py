"""Ticks of made-up rules against cronsim, an implementation of Debian's cron by others.

Left out is what the two decide otherwise where clocks change: for cronsim a rule with a `*` before its minutes or hours
follows elapsed time (`*/20 2 * * *` fires twice when 02:00 comes twice); here only one that names every hour does.
At Lord Howe's half-hour change cronsim loses ticks of such rules.
"""

import itertools
import os
import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

TICKS = 40
UNKNOWN_FROM = 2038  # the changes of clocks that the system's tables list end in 2037
CHANGES = [("America/Sao_Paulo", "2018-11-03"), ("America/Sao_Paulo", "2018-02-16"), ("Europe/Berlin", "2026-03-28"),
           ("Europe/Berlin", "2026-10-24"), ("America/New_York", "2026-03-07"), ("America/New_York", "2026-10-31"),
           ("Australia/Lord_Howe", "2026-10-03"), ("Australia/Lord_Howe", "2026-04-04")]
CALM = [("UTC", "2028-02-27"), ("America/Sao_Paulo", "2026-02-27"), ("Asia/Kathmandu", "2026-12-30")]


def some(chance, low, high):
    """One, a list, a range or a range with steps."""
    first, last = sorted(chance.sample(range(low, high + 1), 2))
    return chance.choice([str(first), f"{first},{last}", f"{first}-{last}", f"{first}-{last}/{chance.randint(1, 5)}"])


def stepped(chance, low, high):
    return chance.choice(["*", f"*/{chance.randint(2, (high - low) // 2)}", some(chance, low, high)])


def days(chance):
    day = chance.choice(["*", "*", "*", some(chance, 1, 28), "L", f"*/{chance.randint(2, 9)}"])
    month = chance.choice(["*", "*", "*", some(chance, 1, 12)])
    weekday = chance.choice(["*", "*", some(chance, 0, 7), "MON", "sat,tue", "5#2", "mon-fri"])
    return f"{day} {month} {weekday}"


def fixed(chance):
    hour = chance.choice(["0", "1", "2", "3", "1-3", "0,2", "0-4/2", some(chance, 0, 23)])
    return f"{some(chance, 0, 59)} {hour} {days(chance)}"


def every_hour(chance):
    return f"{stepped(chance, 0, 59)} * {days(chance)}"


def any_rule(chance):
    return f"{stepped(chance, 0, 59)} {stepped(chance, 0, 23)} {days(chance)}"


HOURLY_CHANGES = [place for place in CHANGES if "Lord_Howe" not in place[0]]


@pytest.mark.parametrize("make, places, count", [(fixed, CHANGES, 48), (every_hour, HOURLY_CHANGES, 24), (any_rule, CALM, 48)])
def test_ticks_are_those_of_another_implementation(project, make, places, count):
    chance = random.Random(int(os.environ.get("MUTIRAO_SEED", "5")))
    for number in range(count):
        zone, day = places[number % len(places)]
        rule = make(chance)
        begin = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)) - timedelta(seconds=30)
        theirs = CronSim(rule, begin)
        wanted = [tick.astimezone(timezone.utc) for tick in itertools.islice(theirs, TICKS) if tick.year < UNKNOWN_FROM]
        listed = project.run_ok("schedules", "next", "--cron", rule, "--tz", zone, "--from", begin.astimezone(timezone.utc).strftime(
            "%Y-%m-%dT%H:%M:%SZ"), "-n", str(len(wanted)), "--json").json()
        assert [datetime.fromisoformat(tick["time"].replace("Z", "+00:00")) for tick in listed] == wanted, (rule, zone, day)
