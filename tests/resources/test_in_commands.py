"""What commands see of the resources that they require, and that secrets are seen nowhere else."""

import pytest

from harness import store


SERVER = {"type": "process", "config": {
    "command": ["python3", "-m", "http.server", "${port.web}", "--bind", "127.0.0.1"], "ports": ["web"],
    "ready": {"tcp": "${port.web}"}, "facts": {"url": "http://127.0.0.1:${port.web}/"}}}


def sh(script, **more):
    return {"command": ["sh", "-c", script], **more}


@pytest.fixture(autouse=True)
def commands_see_resources(new_project):
    """Skips where commands are not handed resources yet."""
    probe = new_project("probe")
    job = probe.job({"resources": {"r": {"type": "secret", "config": {"env": "HOME"}}},
                     "ops": {"o": {"command": ["true", "${resources.r.variable}"], "requires": ["r"]}}})
    if probe.run("check", job).code != 0:
        pytest.skip("commands do not see resources in this build")


def test_ops_share_a_server_that_ends_after_the_last(project):
    fetch = ("import json, os, sys, urllib.request; facts = json.loads(os.environ['MUTIRAO_RESOURCE_SERVER']);"
             "assert sys.argv[1] == facts['url'] and urllib.request.urlopen(facts['url']).status == 200;"
             "open('pid', 'a').write(str(facts['pid']) + ' ')")
    use = {"command": ["python3", "-c", fetch, "${resources.server.url}"], "requires": ["server"]}
    job = project.job({"resources": {"server": SERVER}, "ops": {
        "before": sh("true"), "one": {**use, "after": ["before"]}, "two": {**use, "after": ["one"]}, "last": sh("true", after=["two"])}})
    project.run_ok("run", job)
    first, second = project.path("pid").read_text().split()
    assert first == second
    assert store.told(project) == [
        "op.started(before)", "op.succeeded(before)", "resource.acquiring(server)", "resource.ready(server)",
        "op.started(one)", "op.succeeded(one)", "op.started(two)", "op.succeeded(two)", "op.started(last)",
        "resource.releasing(server)", *store.told(project)[-2:]]
    assert sorted(store.told(project)[-2:]) == ["op.succeeded(last)", "resource.released(server)"]
    store.assert_nothing_is_left(project)


def test_a_secret_comes_from_a_file_too(project):
    project.write("key", "hush-hush-1234\n")
    job = project.job({"resources": {"api_key": {"type": "secret", "config": {"file": "key"}}},
                       "ops": {"a": {"requires": ["api_key"], "command": [
                           "python3", "-c", "import os, sys; print(os.environ['API_KEY']); sys.exit(len(os.environ['API_KEY']) != 14)"]}}})
    outcome = project.run_ok("run", job)
    assert "hush-hush" not in outcome.out + outcome.err
    project.path("key").unlink()
    missing = project.run("run", job)
    assert missing.code == 3 and "key of the secret cannot be read" in missing.err


CANARY = "s3cr3t-canary-0451"


def files_with(project, text):
    return [name for name in project.files() if text.encode() in project.path(name).read_bytes()]


def test_secrets_reach_nothing_that_is_kept(project):
    job = project.job({
        "params": {"password": {"type": "string"}},
        "resources": {"vault": {"type": "secret", "config": {"env": "VAULT_KEY", "as": "VAULT"}}},
        "ops": {"a": {"requires": ["vault"], "config": {"token": "x"}, "command": [
            "python3", "-c", "import os, sys; print(os.environ['VAULT'], sys.argv[1], os.environ['MUTIRAO_CONFIG']);"
                             " sys.exit(len(os.environ['VAULT']) != 18)", "${password}"]}}})
    outcome = project.run("run", job, "-p", f"password={CANARY}", "--set", f"ops.a.config.token={CANARY}",
                          env={"VAULT_KEY": CANARY})
    assert outcome.code == 0, outcome
    assert CANARY not in outcome.out + outcome.err
    assert files_with(project, CANARY) == []
    failing = project.job({"ops": {"a": {"command": ["sh", "-c", "echo $VAULT_KEY >&2; exit 1"]}}}, "failing")
    outcome = project.run("run", failing, env={"VAULT_KEY": CANARY})
    assert outcome.code == 1 and CANARY not in outcome.out + outcome.err
    assert files_with(project, CANARY) == []
