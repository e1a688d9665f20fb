"""What a project's SQLite store says, read as it stands on disk."""

import json
import os
import sqlite3


def _rows(project, query, *values):
    path = project.path(".mutirao/mutirao.db")
    if not path.is_file():
        return []
    # Not read-only: who reads first after a kill brings in what is left in the log.
    connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=30)
    try:
        cursor = connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]
    finally:
        connection.close()


def _parsed(rows, *columns):
    for row in rows:
        for column in columns:
            row[column] = json.loads(row[column]) if row[column] else None
    return rows


def runs(project):
    """All runs, oldest first."""
    return _parsed(_rows(project, "SELECT * FROM runs ORDER BY place"), "cause", "request", "config", "worker")


def last_run(project):
    return runs(project)[-1]


def ops(project, run_id):
    """State by op."""
    return {row["op"]: row["state"] for row in _rows(project, "SELECT * FROM ops WHERE run_id = ?", run_id)}


def events(project, run_id):
    rows = _rows(project, "SELECT * FROM events WHERE run_id = ? ORDER BY number", run_id)
    return _parsed(rows, "data")


def event_types(project, run_id):
    return [event["type"] for event in events(project, run_id)]


def leases(project):
    return _parsed(_rows(project, "SELECT * FROM leases ORDER BY created"), "owner", "handle")


def open_leases(project):
    return [lease for lease in leases(project) if lease["state"] != "closed"]


def marked_processes(prefix):
    """Processes whose environment has MUTIRAO_LEASE=<prefix>…: by pid, the lease."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                variables = file.read().split(b"\0")
            with open(f"/proc/{entry}/stat", "rb") as file:
                state = file.read().rpartition(b")")[2].split()[0]
        except OSError:
            continue
        for variable in variables:
            if variable.startswith(b"MUTIRAO_LEASE=" + prefix.encode()) and state not in (b"Z", b"X"):
                found[int(entry)] = variable.partition(b"=")[2].decode()
    return found


def told(project):
    """The events of the last run about resources and ops, as "what(name)"."""
    log = events(project, last_run(project)["id"])
    return [f"{e['type']}({e['op'] or e['data'].get('resource', '')})" for e in log
            if e["type"].startswith(("resource.", "op.")) and e["type"] not in ("op.progress", "resource.progress")]


def assert_nothing_is_left(project):
    assert open_leases(project) == []
    for run in runs(project):
        assert marked_processes(f"mutirao-{run['id']}-") == {}
