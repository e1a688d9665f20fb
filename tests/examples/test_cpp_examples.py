"""The C++ examples do what they say: two programs and a module that a job uses."""

import csv
import os
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.dataset
import pytest


@pytest.fixture(scope="module")
def build(root):
    return Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev"))


@pytest.fixture(scope="module")
def data(root):
    return root / "examples" / "active_companies" / "data"


def test_active_companies(build, data, tmp_path):
    done = subprocess.run([build / "bin" / "example_active_companies", data, tmp_path / "out"], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "read 2,006 = written 856 + filtered 1,150 + quarantined 0\n".replace(",", "")
    table = pyarrow.dataset.dataset(tmp_path / "out", partitioning="hive").to_table()
    assert table.num_rows == 856 and str(table.schema.field("data_inicio_atividade").type) == "date32[day]"


def test_count_by_state_prints_rows_and_the_fault(build, data):
    done = subprocess.run([build / "bin" / "example_count_by_state", data], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["uf", "rows", "companies", "share"] and lines[1].split()[0] == "string"
    assert lines[3].split()[0] == "SP"
    assert lines[-1].startswith('Filter: column "situacao" is not in')


def test_a_job_runs_an_op_of_a_module(build, root, project):
    out = project.path("towns.csv")
    job = root / "examples" / "cpp" / "jobs" / "towns.yaml"
    outcome = project.run_ok("run", job, "-p", f"module={build}/lib/libtowns_module.so", "-p", f"output={out}", "-p",
                             f"input={root}/examples/active_companies/data")
    assert "wrote 5 towns" in outcome.err
    rows = list(csv.DictReader(open(out, encoding="utf-8")))
    assert len(rows) == 5 and rows[0]["town"] == "SAO PAULO"


def test_a_missing_op_of_a_module_names_those_it_has(build, root, project):
    project.job(f'name: job\nops: {{go: {{module: "{build}/lib/libtowns_module.so#larges_towns"}}}}\n')
    outcome = project.run("run", "job")
    assert outcome.code == 3 and 'has no op "larges_towns"' in outcome.err and "largest_towns" in outcome.err
    project.job('name: job\nops: {go: {module: "nowhere.so#x"}}\n')
    assert "does not exist" in project.run("run", "job").err


def test_a_program_that_reports_back(build, root, project):
    data = str(root / "examples" / "active_companies" / "data")
    project.job({"ops": {"count": {"command": [f"{build}/bin/example_pipes_report"], "extras": {"input": data}},
                         "use": {"command": ["echo", "${in.n}"], "in": {"n": "count.companies"}}}})
    ops = project.run_ok("run", "job", "--json").json()["ops"]
    [made] = ops["count"]["pipes"]["materializations"]
    assert made["asset_key"] == "count" and made["metadata"]["companies"]["value"] > 0
    assert ops["use"]["stdout_tail"] == f"{made['metadata']['companies']['value']}\n"


def scratch_job(build, project, **ops):
    module = f"{build}/lib/libscratch_module.so"
    project.job({"resources": {"tmp": {"type": "module", "config": {"module": f"{module}#scratch", "parent": "scratch"}}},
                 "ops": {name: {"requires": ["tmp"], **op} for name, op in ops.items()}})


def test_ops_share_a_resource_of_a_module(build, root, project):
    project.job((root / "examples" / "cpp" / "jobs" / "scratch.yaml").read_text(), "scratch")
    arguments = ["-p", f"module={build}/lib/libscratch_module.so", "-p", "parent=scratch"]
    outcome = project.run_ok("run", "scratch", *arguments)
    assert "the sum of the first 100 numbers is 5050" in outcome.err
    assert list(project.path("scratch").iterdir()) == [], "it is gone with the run"


def test_commands_get_what_is_known_of_it(build, project):
    scratch_job(build, project, go={"command": ["sh", "-c", "ls -d $0; echo $MUTIRAO_RESOURCE_TMP", "${resources.tmp.path}"]})
    out = project.run_ok("run", "job", "--json").json()["ops"]["go"]["stdout_tail"]
    path, facts = out.splitlines()
    assert path.startswith(str(project.path("scratch"))) and facts == '{"path":"' + path + '"}'


def family(pid):
    """A process and all its descendants."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def test_what_a_killed_run_left_is_ended_by_the_next(build, project):
    scratch_job(build, project, go={"command": ["sh", "-c", "touch started; exec sleep 600"]})
    process = project.start("run", "job")
    deadline = time.monotonic() + 60
    while not project.path("started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for pid in family(process.pid):
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert len(list(project.path("scratch").iterdir())) == 1
    project.job({"ops": {"go": {"command": ["true"]}}}, "other")
    while list(project.path("scratch").iterdir()):
        assert time.monotonic() < deadline + 60
        project.run_ok("run", "other")


def test_a_module_resource_that_is_not_there(build, project):
    project.job({"resources": {"tmp": {"type": "module", "config": {"module": f"{build}/lib/libscratch_module.so#scrach"}}},
                 "ops": {"go": {"requires": ["tmp"], "command": ["true"]}}})
    outcome = project.run("run", "job")
    assert outcome.code == 3 and 'has no resource "scrach"' in outcome.err
    project.job({"resources": {"tmp": {"type": "module"}}, "ops": {"go": {"requires": ["tmp"], "command": ["true"]}}})
    assert "module" in project.run("check", "job").err
