"""Functions of C++ modules in the expressions of frames: they compute, are checked with the job, and tasks name them."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

WRONG_INPUT = 3
ROWS = [["01", "  ACME  LTDA.", 10.0], ["05", "Big, Co.", 20.0], ["03", " . ", 0.5], ["01", None, 4.0]]
SEEN = [{"name": "ACME LTDA", "n": 13, "taxed": 11.0}, {"name": None, "n": 3, "taxed": 0.55}, {"name": None, "n": -1, "taxed": 4.4}]


@pytest.fixture(scope="session")
def build_tree(binary, root):
    return Path(os.environ.get("MUTIRAO_BUILD_DIR", root / "build" / "dev"))


@pytest.fixture
def module(project, build_tree):
    """The module in the project's folder, as a user has it."""
    project.path("modules").mkdir()
    shutil.copy(build_tree / "lib" / "libfunctions_module.so", project.path("modules/libfunctions.so"))
    return "modules/libfunctions.so"


def write_job(project, modules, name="job", rate="0.1", **more):
    frames = {"seen": {
        "read": {"inline": {"columns": {"size": "string", "name": "string", "amount": "float64"}, "rows": ROWS}},
        "steps": [{"filter": "is_small(size)"},
                  {"select": [{"name": "normal_name(name)"}, {"n": "letters(name)"}, {"taxed": f"with_tax(amount, {rate})"}]}]}}
    ops = {"go": {"frames": frames, "write": [{"frame": "seen", "parquet": "out/seen", "mode": "overwrite"}]}}
    return project.job({"functions": modules, "ops": ops, **more}, name)


def compile_library(project, name, source):
    """A library of a few lines of C."""
    project.write(f"{name}.c", source)
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", f"{name}.c", "-o", f"{name}.so"], cwd=project.folder, check=True)
    return f"{name}.so"


def seen_rows(project):
    return [{**row, "taxed": round(row["taxed"], 6)} for row in project.read("out/seen").to_pylist()]


def test_a_job_filters_and_computes_by_functions_of_its_module(project, module):
    job = write_job(project, [module])
    assert project.run_ok("check", job).err.endswith("ok\n")
    outcome = project.run_ok("run", job, "--json")
    assert seen_rows(project) == SEEN
    assert outcome.json()["ops"]["go"]["rows_read"] == 4
    assert "normal_name(name)" in project.run_ok("explain", job, "--optimized").out
    assert "ACME LTDA" in project.run_ok("preview", job, "seen").out


def test_the_module_may_be_a_param(project, module):
    params = {"library": {"type": "string"}}
    job = write_job(project, ["${library}"], params=params)
    project.run_ok("run", job, "-p", f"library={module}")
    assert seen_rows(project) == SEEN
    assert project.run("check", job).code == 0, "what needs the param is checked when it has a value"
    assert project.run("run", job).code == WRONG_INPUT


def test_functions_are_printed_like_built_in_ones(project, module):
    printed = project.run_ok("functions", "--module", module).out
    assert "normal_name(string) → string\n  Write a name without doubled blanks, dots and commas\n" in printed
    assert "with_tax(float64, float64) → float64" in printed and "upper" not in printed
    named = project.run_ok("functions", "--module", module, "is_small", "--json").json()
    assert [function["name"] for function in named] == ["is_small"]
    wrong = project.run("functions", "--module", module, "is_smal")
    assert wrong.code == WRONG_INPUT and 'did you mean "is_small"?' in wrong.err
    missing = project.run("functions", "--module", "nowhere.so")
    assert missing.code == WRONG_INPUT and "module nowhere.so does not exist" in missing.err


def test_names_and_types_are_checked_with_their_place(project, module):
    job = project.job("""\
name: job
functions: [modules/libfunctions.so]
ops:
  go:
    frames:
      seen:
        read: {inline: {columns: {size: string, n: int64}, rows: [[a, 1]]}}
        steps:
          - filter: is_smal(size)
          - derive: {x: letters(n)}
    write: [{frame: seen, parquet: out}]
""")
    outcome = project.run("check", job)
    assert outcome.code == WRONG_INPUT
    assert "there is no function is_smal()" in outcome.err and "jobs/job.yaml:9:21" in outcome.err, outcome
    assert 'did you mean "is_small"?' in outcome.err
    assert "letters() expects string as argument 1, got int64" in outcome.err and "jobs/job.yaml:10:25" in outcome.err
    assert "letters(string) → int64" in outcome.err


@pytest.mark.parametrize("content, said", [
    (None, "does not exist"),
    (b"no library at all", "cannot load module"),
    ("int x;", "is not a module: it defines no MUTIRAO_OP, MUTIRAO_RESOURCE or MUTIRAO_FUNCTION"),
    ("int MutiraoFunctionAbi(void) { return 99; }", "was built for function interface 99, this program has 1"),
    ("int MutiraoFunctionAbi(void) { return 1; } void* MutiraoFunctions(void) { return 0; }", "has no functions"),
], ids=["missing", "text", "no module", "newer", "none"])
def test_wrong_modules_are_told_with_their_place(project, content, said):
    if isinstance(content, str):
        compile_library(project, "wrong", content)
    elif content:
        project.write("wrong.so", content)
    outcome = project.run("run", write_job(project, ["wrong.so"]))
    assert outcome.code == WRONG_INPUT and said in outcome.err and "jobs/job.yaml:3:3" in outcome.err, outcome
    assert outcome.err.count("error:") == 1, "expressions that call its functions are not told besides"
    assert not project.path("out").exists()


def test_a_module_for_other_machines_is_refused(project, module):
    data = bytearray(project.path(module).read_bytes())
    data[18:20] = (183).to_bytes(2, "little")
    project.write("foreign.so", bytes(data))
    outcome = project.run("check", write_job(project, ["foreign.so"]))
    assert outcome.code == WRONG_INPUT and "is built for linux-aarch64, this machine is linux-x86_64" in outcome.err, outcome


NAMED = """\
struct Parameter {{ int type, nullable; }};
struct Function {{
  const char *name, *summary; struct Parameter* parameters; int count; struct Parameter result;
  int (*call)(const void*, long, void*); const struct Function* next;
}};
static int call(const void* a, long n, void* r) {{ return 0; }}
static struct Function second = {{"{second}", "the second", 0, 0, {{2, 0}}, call, 0}};
static struct Function first = {{"{first}", "the first", 0, 0, {{2, 0}}, call, &second}};
int MutiraoFunctionAbi(void) {{ return 1; }}
const struct Function* MutiraoFunctions(void) {{ return &first; }}
"""


@pytest.mark.parametrize("first, second, said", [
    ("one", "upper", "there is a built-in function upper() already"),
    ("one", "one", "has two functions one()"),
    ("one", "One", '"One" is no name that expressions can call'),
    ("one", "letters", "have a function letters()"),
], ids=["built-in", "twice", "case", "two modules"])
def test_a_name_means_one_function(project, module, first, second, said):
    library = compile_library(project, "named", NAMED.format(first=first, second=second))
    outcome = project.run("check", write_job(project, [module, library]))
    assert outcome.code == WRONG_INPUT and said in outcome.err and "jobs/job.yaml:4:3" in outcome.err, outcome


def test_an_exception_fails_the_op_and_names_the_call(project, module):
    job = write_job(project, [module], rate="amount")
    outcome = project.run("run", job)
    assert outcome.code == WRONG_INPUT and "with_tax(amount) failed: the rate is above 1" in outcome.err, outcome
    assert not project.path("out/seen").exists()


def test_functions_must_be_a_list_of_texts(project):
    outcome = project.run("check", write_job(project, "modules/x.so"))
    assert outcome.code == WRONG_INPUT and "jobs/job.yaml:2:12" in outcome.err, outcome


def test_tasks_name_the_content_of_their_modules(project, module):
    job = write_job(project, [module])
    project.run_ok("explain", job, "--write-tasks", "tasks")
    document, = project.path("tasks").glob("stage-*.json")
    named = json.loads(document.read_text())["plan"]["functions"]
    content = subprocess.run(["sha256sum", project.path(module)], capture_output=True, text=True, check=True).stdout[:40]
    assert named == dict.fromkeys(["is_small", "letters", "normal_name", "with_tax"], content)

    result = project.run_ok("task", "--modules", "modules", stdin=document.read_bytes()).json()
    assert sum(part["rows"] for part in result["outputs"][0]["parts"]) == len(SEEN)
    refused = project.run("task", stdin=document.read_bytes())
    assert refused.code == WRONG_INPUT and f"where module {content} could be" in refused.err, refused
    # The name alone is not enough.
    project.path(module).write_bytes(project.path(module).read_bytes() + b"\0")
    refused = project.run("task", "--modules", "modules", stdin=document.read_bytes())
    assert refused.code == WRONG_INPUT and f"there is no module {content} in modules" in refused.err, refused
