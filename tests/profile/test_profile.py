"""`run --profile` says where the time went; `explain` shows it beside the plan."""

import json

import pytest

OK, USAGE, INPUT = 0, 2, 3
ROWS = 20_000


@pytest.fixture
def job(project):
    project.write("in.csv", "id,part,text\n" + "".join(f"{i:06d},{'AB'[i % 2]},text {i % 77}\n" for i in range(ROWS)))
    project.write("names.csv", "part,name\nA,first\n")
    read = {"types": {"id": "int64"}}
    return project.job({"ops": {
        "load": {
            "frames": {
                "names": {"read": {"csv": "names.csv"}},
                "rows": {"read": {"csv": "in.csv", **read},
                         "steps": [{"join": {"with": "names", "on": "part", "how": "inner"}}, {"sort": ["-id"]}]}},
            "write": [{"frame": "rows", "parquet": "out/rows", "mode": "overwrite"}]},
        "then": {"after": ["load"], "command": ["true"]}}}, "sales")


def documents(project, folder="profile"):
    return [json.loads(project.path(f"{folder}/sales.{kind}.json").read_text()) for kind in ("profile", "trace")]


def test_tells_of_every_node(project, job):
    outcome = project.run_ok("run", job, "--profile")
    assert "profile in profile/sales.profile.json, timeline in profile/sales.trace.json" in outcome.err
    profile, _ = documents(project)
    assert profile["format"] == 1 and profile["job"] == "sales" and profile["state"] == "succeeded"
    assert list(profile["ops"]) == ["load"], "a command has no plan"
    op = profile["ops"]["load"]
    nodes = {node["kind"]: node for node in op["nodes"]}
    assert nodes["write"]["rows_in"] == nodes["sort"]["rows_out"] == nodes["join"]["rows_out"] == ROWS // 2
    assert nodes["join"]["rows_in_right"] == 1
    assert sum(node["rows_in"] for node in op["nodes"] if node["kind"] == "scan") == ROWS + 1
    assert sum(node["bytes_in"] for node in op["nodes"] if node["kind"] == "scan") \
        == sum(project.path(name).stat().st_size for name in ("in.csv", "names.csv"))
    assert nodes["write"]["bytes_out"] == sum(f.stat().st_size for f in project.path("out/rows").rglob("*.parquet"))
    assert nodes["sort"]["memory_peak_bytes"] > 0 and nodes["sort"]["spilled_bytes"] == 0
    for number, node in enumerate(op["nodes"]):
        assert node["seconds"] >= 0 and all(0 <= other < number for other in node["inputs"])
    # The workers cannot have been in nodes for longer than they were there.
    assert 0 < sum(node["seconds"] for node in op["nodes"]) <= op["seconds"] * op["workers"] * 1.01


def test_tells_which_side_of_a_join_was_hashed(project):
    # The plan takes it that a filter lets few rows through; the sample of a run sees that this one takes hardly any out.
    project.write("orders.csv", "id,part\n" + "".join(f"{i % 1000:06d},{i:06d}\n" for i in range(ROWS)))
    project.write("parts.csv", "part,name\n" + "".join(f"{i:06d},name of a part\n" for i in range(12_000)))
    job = project.job({"ops": {"load": {
        "frames": {
            "parts": {"read": {"csv": "parts.csv"}},
            "rows": {"read": {"csv": "orders.csv"},
                     "steps": [{"filter": "id <> '000007'"}, {"join": {"with": "parts", "on": "part", "how": "inner"}}]}},
        "write": [{"frame": "rows", "parquet": "out/rows", "mode": "overwrite"}]}}}, "sales")
    planned = project.run_ok("explain", job).out
    assert planned.rindex("hash the left") > planned.rindex("hash the right"), "as written, and then optimised"
    project.run_ok("run", job, "--profile")
    as_run = project.run_ok("explain", job, "--last").out
    assert "hash the right" in as_run and "hash the left" not in as_run
    join = next(node for node in documents(project)[0]["ops"]["load"]["nodes"] if node["kind"] == "join")
    assert (join["rows_in"], join["rows_in_right"], join["rows_out"]) == (ROWS - 20, 12_000, 12_000 - 12)


def test_the_timeline_is_a_trace_that_chrome_reads(project, job):
    project.run_ok("run", job, "--profile")
    profile, trace = documents(project)
    spans = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert {"load", "write #" + str(len(profile["ops"]["load"]["nodes"]) - 1)} <= {span["name"] for span in spans}
    named = {event["tid"] for event in trace["traceEvents"] if event["ph"] == "M"}
    tracks = {}
    for span in spans:
        assert span["dur"] >= 0 and span["ts"] >= 0 and span["tid"] in named
        tracks.setdefault(span["tid"], []).append((span["ts"], -span["dur"]))
    for track in tracks.values():
        # Spans of a track lie inside each other or side by side: else viewers draw nonsense.
        open_ends = []
        for begin, negative in sorted(track):
            while open_ends and open_ends[-1] <= begin + 0.001:
                open_ends.pop()
            assert not open_ends or begin - negative <= open_ends[-1] + 0.002
            open_ends.append(begin - negative)
    counters = [event for event in trace["traceEvents"] if event["ph"] == "C" and event["name"] == "rows read"]
    assert counters[-1]["args"]["value"] == ROWS + 1


def test_spill_is_told_by_node(project, job):
    project.write("in.csv", "id,part,text\n" + "".join(f"{i:07d},A,{'x' * 90}{i}\n" for i in range(300_000)))
    project.run_ok("run", job, "--profile", "--memory", "16MiB", "--spill-dir", "spill")
    profile, _ = documents(project)
    op = profile["ops"]["load"]
    spilled = {node["kind"]: node["spilled_bytes"] for node in op["nodes"]}
    assert spilled["sort"] > 1_000_000 and spilled["write"] == 0
    assert sum(node["spilled_bytes"] for node in op["nodes"]) == op["memory"]["spilled_bytes"]
    assert "spilled" in project.run_ok("explain", job, "--last").out


def test_explain_shows_the_last_run_beside_the_plan(project, job):
    outcome = project.run("explain", job, "--last")
    assert outcome.code == INPUT and "there is no profile" in outcome.err and "--profile" in outcome.err
    project.run_ok("run", job, "--profile")
    text = project.run_ok("explain", job, "--last").out
    lines = text.splitlines()
    assert lines[0].startswith("run ") and " of sales, " in lines[0] and lines[1].startswith("op load: ")
    assert lines[2].split() == "time share rows out bytes out memory spilled node".split()
    assert "write parquet" in lines[3] and "10,000" in lines[3] and "%" in lines[3]
    assert any("└─ sort by id descending" in line for line in lines)
    assert any("├─ scan csv" in line and "20,000" in line for line in lines)
    assert project.run_ok("explain", job, "--last", "--json").json()["ops"]["load"]["nodes"]


def test_another_folder_and_file(project, job):
    project.run_ok("run", job, "--profile=deep/er", "-q")
    assert not project.path("profile").exists()
    assert "write parquet" in project.run_ok("explain", job, "--profile", "deep/er/sales.profile.json").out


def test_without_the_flag_nothing_is_written(project, job):
    assert "profile" not in project.run_ok("run", job).err
    assert not project.path("profile").exists()


@pytest.mark.parametrize("arguments, code, said", [
    (["run", "JOB", "--profile=in.csv/deeper"], INPUT, "cannot make the folder of the profile"),
    (["explain", "JOB", "--last", "--tasks"], USAGE, "--last"),
    (["explain", "JOB", "--profile", "none.json"], INPUT, "there is no profile none.json"),
    (["explain", "JOB", "--profile", "in.csv"], INPUT, "in.csv is no profile"),
    (["explain", "JOB", "--profile", "other.json"], INPUT, "is the profile of job other, not of sales"),
    (["explain", "JOB", "--profile", "trace.json"], INPUT, "no format that this version reads"),
    (["explain", "JOB", "--profile", "damaged.json"], INPUT, "the profile is damaged"),
    (["explain", "JOB", "--profile", "circle.json"], INPUT, "the profile is damaged"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_can_be_wrong(project, job, arguments, code, said):
    project.write("other.json", '{"format": 1, "job": "other"}')
    project.write("trace.json", '{"traceEvents": []}')
    project.write("damaged.json", '{"format": 1, "job": "sales", "run": 7}')
    node = {"what": "filter", "inputs": [0], "seconds": 1, "rows_out": 1, "bytes_out": 1, "memory_peak_bytes": 1,
            "spilled_bytes": 0}
    memory = {"held_peak_bytes": 1, "budget_bytes": 1}
    circle = {"format": 1, "job": "sales", "run": "r", "started": "now", "state": "succeeded",
              "ops": {"load": {"seconds": 1, "workers": 1, "memory": memory,
                               "nodes": [node, {**node, "inputs": [1]}, {**node, "inputs": [1]}, {**node, "inputs": [2, 3]},
                                         {**node, "inputs": [9]}]}}}
    project.write("circle.json", json.dumps(circle))
    outcome = project.run(*[job if argument == "JOB" else argument for argument in arguments])
    assert outcome.code == code and said in outcome.err, outcome
    assert not project.path("out").exists()


def test_secrets_stay_out(project, job):
    text = project.path(job).read_text().replace("name: sales", "name: sales\nparams: {api_token: {type: string}}", 1)
    text = text.replace("- sort:", "- filter: text <> ${api_token}\n        - sort:", 1)
    project.write("jobs/secret.yaml", text)
    project.run_ok("run", "jobs/secret.yaml", "-p", "api_token=hunter2secret", "--profile")
    for path in project.path("profile").iterdir():
        assert "hunter2secret" not in path.read_text()
