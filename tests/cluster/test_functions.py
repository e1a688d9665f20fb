"""Functions of a module in the frames of a cluster: the library goes to every worker once, and rows are those of a run here."""

import shutil
import subprocess

import pytest

from harness.parquet import assert_same_rows, rows
from native_side import ROOT

COMPUTE = {"type": "cluster", "config": {"provider": "local", "n_workers": 2, "worker_memory": "1 GiB"}}
FRAMES = {
    "companies": {
        "read": {"csv": "{dump}/Empresas*.zip", "layout": "cnpj/empresas"},
        "steps": [{"filter": "is_small(porte)"},
                  {"select": ["cnpj_basico", {"name": "normal_name(razao_social)"}, {"length": "letters(razao_social)"}]}],
    },
    "places": {
        "read": {"csv": "{dump}/Estabelecimentos*.zip", "layout": "cnpj/estabelecimentos"},
        "steps": [{"join": {"with": "companies", "on": "cnpj_basico", "how": "inner"}},
                  {"filter": "letters(name) > 3"},
                  {"aggregate": {"by": ["uf", {"initial": "substr(normal_name(name), 1, 1)"}],
                                 "with": {"n": "count()", "longest": "max(letters(name))", "taxed": "sum(with_tax(1, 0.5))"}}}],
    },
}


def write_job(project, dump, module, **cluster):
    frames = json_with(FRAMES, str(dump))
    write = [{"frame": "places", "parquet": "out/places", "mode": "overwrite"},
             {"frame": "companies", "parquet": "out/companies", "mode": "overwrite"}]
    ops = {"load": {"frames": frames, "write": write}}
    if cluster:
        ops["load"]["requires"] = ["compute"]
    resources = {"compute": {**COMPUTE, "config": {**COMPUTE["config"], **cluster}}} if cluster else {}
    return project.job({"functions": [str(module)], "resources": resources, "ops": ops})


def json_with(value, dump):
    if isinstance(value, dict):
        return {key: json_with(item, dump) for key, item in value.items()}
    if isinstance(value, list):
        return [json_with(item, dump) for item in value]
    return value.replace("{dump}", dump)


def test_a_cluster_gives_the_rows_of_a_run_here(project, build_tree, dump):
    module = project.path("libnames.so")
    shutil.copy(build_tree / "lib" / "libfunctions_module.so", module)
    expected = {}
    project.run_ok("run", write_job(project, dump, module))
    for name in ("places", "companies"):
        expected[name] = project.read(f"out/{name}")
        assert expected[name].num_rows > 50
    outcome = project.run_ok("run", write_job(project, dump, module, n_workers=2), "--json")
    for name, table in expected.items():
        got = project.read(f"out/{name}")
        assert_same_rows(rows(got.select(table.column_names)), rows(table), table.column_names)
    report = outcome.json()
    assert report["ops"]["load"]["cluster"]["tasks"] > 2, "it ran on the cluster"
    events = project.run_ok("events", report["run"], "--json").out
    assert events.count("libnames.so to 2 workers") == 1, "a library goes to a worker once"


def test_a_function_that_fails_on_a_worker_fails_the_op(project, build_tree):
    frames = {"numbers": {"read": {"inline": {"columns": {"x": "float64"}, "rows": [[0.5], [7.0]]}},
                          "steps": [{"derive": {"y": "with_tax(1, x)"}}]}}
    job = project.job({"functions": [str(build_tree / "lib" / "libfunctions_module.so")], "resources": {"compute": COMPUTE}, "ops": {
        "go": {"requires": ["compute"], "frames": frames, "write": [{"frame": "numbers", "parquet": "out"}]}}})
    outcome = project.run("run", job)
    assert outcome.code == 3 and "with_tax(x) failed: the rate is above 1" in outcome.err, outcome
    assert not project.path("out").exists()


def test_workers_of_another_platform_are_refused(project, build_tree, dump, tmp_path):
    if not shutil.which("setarch") or subprocess.run(["setarch", "i686", "true"]).returncode != 0:
        pytest.skip("no process here can say that it is another machine")
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec setarch i686 {ROOT}/.venv/bin/python \"$@\"\n")
    python.chmod(0o755)
    module = build_tree / "lib" / "libfunctions_module.so"
    outcome = project.run("run", write_job(project, dump, module, python=str(python)))
    assert outcome.code == 3 and "is linux-i686, module" in outcome.err and "is built for linux-x86_64" in outcome.err, outcome
