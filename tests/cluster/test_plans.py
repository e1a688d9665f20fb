"""Plans on a real cluster of this machine give the rows that they give in one process; what a cluster may not do is told
before any work."""

import pytest

from native_side import ROOT, processes_of, wait_until
from plans import Cluster

@pytest.fixture(scope="module")
def cluster(build_tree):
    cluster = Cluster(build_tree)
    assert len(cluster.started.get("workers", [])) == 2, cluster.started
    yield cluster
    session = cluster.process.pid
    assert cluster.ask({"close": True})["worker_seconds"] > 0
    assert cluster.close() == 0
    wait_until(lambda: not processes_of(session), "nothing of a closed cluster runs")


@pytest.fixture
def dump_frames(dump):
    return {
        "companies": {
            "read": {"csv": f"{dump}/Empresas*.zip", "layout": "cnpj/empresas"},
            "steps": [{"select": ["cnpj_basico", "porte", {"capital": "cast(replace(capital_social, ',', '.') as decimal(18,2))"}]}]},
        "active": {
            "read": {"csv": f"{dump}/Estabelecimentos*.zip", "layout": "cnpj/estabelecimentos"},
            "steps": [{"filter": "situacao_cadastral = '02'"}, {"join": {"with": "companies", "on": "cnpj_basico", "how": "left"}},
                      {"select": ["cnpj_basico", "cnpj_ordem", "uf", "porte", "capital"]}]}}


def test_the_main_job_gives_the_same_rows(cluster, dump_frames, tmp_path):
    answer = cluster.run(frames=dump_frames, frame="active", folder=str(tmp_path), task_bytes=20_000)
    assert answer["same"] and answer["rows"] > 50
    assert answer["account"]["tasks"] > 2 and answer["account"]["attempts_lost"] == 0
    assert sum(worker["tasks"] for worker in answer["account"]["workers"].values()) == answer["account"]["tasks"]
    assert list(tmp_path.rglob("*token*")) == [] and list(tmp_path.rglob("*.mxch")) == []


def test_rows_set_aside_are_counted_and_kept(cluster, tmp_path):
    (tmp_path / "in.csv").write_text("a,b\n" + "".join(f"{i if i % 10 else 'bad'},x\n" for i in range(1000)))
    frames = {"rows": {"read": {"csv": f"{tmp_path}/in.csv", "types": {"a": "int64"}, "on_error": "quarantine"}, "steps": []}}
    answer = cluster.run(frames=frames, frame="rows", folder=str(tmp_path), task_bytes=2000, quarantine=True, only="cluster")
    assert answer.get("rows") == 900 and answer["set_aside"] == 100, answer


def test_wrong_data_fails_the_plan_with_its_place(cluster, tmp_path):
    (tmp_path / "in.csv").write_text("a,b\n1,x\nbad,y\n")
    frames = {"rows": {"read": {"csv": f"{tmp_path}/in.csv", "types": {"a": "int64"}}, "steps": []}}
    answer = cluster.run(frames=frames, frame="rows", folder=str(tmp_path))
    assert answer["code"] == "invalid" and "in.csv" in answer["error"] and "stage 0" in answer["error"], answer


def test_storage_that_workers_do_not_see_is_told_before_any_work(build_tree, tmp_path):
    """The workers run in a mount namespace where the folder is another one."""
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "in.csv").write_text("a\n1\n")
    wrapper = tmp_path / "elsewhere"
    wrapper.write_text(f"#!/bin/sh\nexec unshare -m sh -c 'mount -t tmpfs none {folder} && exec \"$@\"' sh "
                       f"{ROOT}/.venv/bin/python \"$@\"\n")
    wrapper.chmod(0o755)
    import subprocess
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("mount namespaces are not allowed here")
    cluster = Cluster(build_tree, n_workers=1, python=str(wrapper))
    try:
        frames = {"rows": {"read": {"csv": f"{folder}/in.csv"}, "steps": []}}
        answer = cluster.run(frames=frames, frame="rows", folder=str(folder))
        assert answer["code"] == "invalid" and "does not see the output folder" in answer["error"], answer
        assert "all workers see them" in answer["help"]
    finally:
        assert cluster.close() == 0
