"""Inputs and outputs that cannot be: told with the right exit code, and nothing is lost or left behind."""

import ctypes
import os
import resource
import subprocess

import pytest

FAILED, INPUT, INFRASTRUCTURE = 1, 3, 4
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 1, 2, 24
ROWS = "a,b\n1,x\n2,y\n"


def job_of(project, read, *writes, name="job"):
    """A job of one op that reads one frame and writes it; `writes` are texts of YAML mappings without the frame."""
    lines = "".join(f"      - {{frame: t, {write}}}\n" for write in writes)
    return project.job(f"name: {name}\nops:\n  load:\n    frames:\n      t: {{read: {{{read}}}}}\n    write:\n{lines}", name)


def everything(project):
    """All files but those that the program keeps for itself."""
    return {str(path.relative_to(project.folder)): path.read_bytes()
            for path in sorted(project.folder.rglob("*")) if path.is_file() and ".mutirao" not in path.parts}


@pytest.mark.parametrize("read, writes, said", [
    ("csv: data/nothing.csv", ["csv: out.csv"], ["data/nothing.csv does not exist"]),
    ('csv: "data/*.zip"', ["csv: out.csv"], ["no file matches", "t.csv"]),
    ("parquet: data", ["csv: out.csv"], ["t.csv", "no Parquet file"]),
    ("parquet: empty", ["csv: out.csv"], ["has no files"]),
    ("delta: table", ["csv: out.csv"], ['"delta" is not a format of this build', "this build has csv, inline, ipc, parquet"]),
    ("csv: data/t.csv", ["csv: data/t.csv, mode: overwrite"], ["would replace", "data/t.csv, which this op reads"]),
    ("csv: data/t.csv", ["csv: ./data/../data/t.csv, mode: overwrite"], ["would replace"]),
    ("csv: data/t.csv", ["parquet: data, mode: overwrite"], ["would replace"]),
    ("csv: data/t.csv", ["parquet: ., mode: overwrite"], ["would replace"]),
    ("csv: data/t.csv", ["parquet: /, mode: overwrite"], ["would replace"]),
    ('csv: "data/*.csv"', ["csv: data/more.csv, mode: overwrite"], ["lies in data/*.csv, which this op reads"]),
    ("csv: data", ["csv: data/out, mode: overwrite"], ["lies in data, which this op reads"]),
    ('csv: "data/**/*.csv"', ["csv: data/deep/er, mode: overwrite"], ["lies in data/**/*.csv"]),
    ("csv: data/t.csv", ["csv: out.csv", "csv: ./out.csv"], ["two writes of this op go to ./out.csv"]),
    ("csv: data/t.csv", ["parquet: out", "csv: out/x.csv"], ["the output out/x.csv lies inside the output out"]),
    ("csv: data/t.csv", ["csv: out/x.csv", "parquet: out"], ["the output out/x.csv lies inside the output out"]),
    ("csv: data/t.csv", ["parquet: out, mode: replace_where"], ["needs a table with a log of its changes"]),
    ("csv: data/t.csv", ["delta: out, mode: overwrite"], ['"delta" is not a format of this build']),
], ids=lambda value: "; ".join(value) if isinstance(value, list) else value)
def test_check_and_run_refuse(project, read, writes, said):
    project.write("data/t.csv", ROWS)
    project.path("empty").mkdir()
    job = job_of(project, read, *writes)
    before = everything(project)
    for command in ("check", "run"):
        outcome = project.run(command, job)
        assert outcome.code == INPUT, outcome
        assert "--> jobs/job.yaml:" in outcome.err and all(text in outcome.err for text in said), outcome
    assert everything(project) == before


@pytest.mark.parametrize("target, said", [
    ("data/t.csv/x", "not a directory"),
    ("data", "has files that are no part of"),
    ("x" * 300, "too long"),
], ids=["below a file", "a folder of other things", "too long a name"])
def test_run_refuses_a_target(project, target, said):
    project.write("data/t.csv", ROWS)
    project.write("in.csv", ROWS)
    job = job_of(project, "csv: in.csv", f"parquet: {target}, mode: overwrite")
    before = everything(project)
    outcome = project.run("run", job)
    assert outcome.code == INPUT and said in outcome.err, outcome
    assert everything(project) == before


def test_what_is_read_may_be_appended_to(project):
    project.write("in.csv", ROWS)
    project.run_ok("run", job_of(project, "csv: in.csv", "parquet: out, mode: overwrite"))
    project.run_ok("run", job_of(project, "parquet: out", "parquet: out, mode: append"))
    assert project.read("out").num_rows == 4


def test_two_ops_must_not_replace_each_other(project):
    project.write("in.csv", ROWS)
    text = """
name: job
ops:
  one: {frames: {t: {read: {csv: in.csv}}}, write: [{frame: t, parquet: out, mode: overwrite}]}
  two: {after: [one], frames: {t: {read: {csv: in.csv}}}, write: [{frame: t, parquet: out, mode: MODE}]}
"""
    outcome = project.run("check", project.job(text.replace("MODE", "overwrite")))
    assert outcome.code == INPUT and 'op "one" writes to out too' in outcome.err, outcome
    project.run_ok("run", project.job(text.replace("MODE", "append")))
    assert project.read("out").num_rows == 4


def without_roots_rights():
    """Take from the program about to start what lets root read and write everything; others do not have it."""
    for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, right, 0, 0, 0)


def test_no_permission(project):
    project.write("in.csv", ROWS).chmod(0)
    outcome = project.run("run", job_of(project, "csv: in.csv", "csv: out.csv"), preexec_fn=without_roots_rights)
    assert outcome.code == INPUT and "permission denied" in outcome.err, outcome
    project.path("in.csv").chmod(0o600)
    project.path("closed").mkdir(mode=0o500)
    outcome = project.run("run", job_of(project, "csv: in.csv", "csv: closed/out.csv"), preexec_fn=without_roots_rights)
    assert outcome.code == INFRASTRUCTURE and "permission denied" in outcome.err, outcome


def big_rows():
    return "a,b\n" + "".join(f"{i},{i * 7919 % 100003}\n" for i in range(200_000))


def test_a_write_that_fails_leaves_nothing(project):
    """The limit on the size of files stands in for a full disk."""
    project.write("in.csv", big_rows())
    job = job_of(project, "csv: in.csv", "parquet: out/small", "csv: out/large.csv")
    limit = 1_000_000
    done = subprocess.run([project.binary, "run", job], cwd=project.folder, env=project.environment(),
                          capture_output=True, text=True, timeout=60,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert done.returncode == INFRASTRUCTURE and "file too large" in done.stderr, done
    assert list(project.path("out").iterdir()) == []


def test_a_reader_that_went_away_does_not_stop_a_run(project):
    project.write("in.csv", ROWS)
    job = job_of(project, "csv: in.csv", "csv: out.csv")
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run([project.binary, "run", job, "--json"], cwd=project.folder, env=project.environment(),
                          stdout=write_end, stderr=write_end, timeout=60)
    os.close(write_end)
    assert done.returncode == 0 and project.path("out.csv").exists()
