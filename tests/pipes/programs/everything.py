"""A program as one is written for Dagster: it knows nothing of Mutirão."""

import json
import sys

from dagster_pipes import PipesCliArgsParamsLoader, PipesEnvVarParamsLoader, open_dagster_pipes

loader = PipesCliArgsParamsLoader() if "--dagster-pipes-context" in sys.argv else PipesEnvVarParamsLoader()

COLUMN = {"name": "id", "type": "int", "description": "key", "tags": {"pii": "no"},
          "constraints": {"nullable": False, "unique": True, "other": ["> 0"]}}
METADATA = {
    "inferred_text": "t", "inferred_int": 1, "inferred_float": 1.5, "inferred_bool": True, "inferred_none": None,
    "inferred_json": [1, {"a": 2}],
    "text": {"raw_value": "t", "type": "text"},
    "md": {"raw_value": "*t*", "type": "md"},
    "url": {"raw_value": "http://localhost/x", "type": "url"},
    "path": {"raw_value": "/tmp/x", "type": "path"},
    "notebook": {"raw_value": "/tmp/x.ipynb", "type": "notebook"},
    "float": {"raw_value": 0.5, "type": "float"},
    "int": {"raw_value": 7, "type": "int"},
    "bool": {"raw_value": False, "type": "bool"},
    "json": {"raw_value": {"k": [1, None]}, "type": "json"},
    "timestamp": {"raw_value": 1767225600.0, "type": "timestamp"},
    "null": {"raw_value": None, "type": "null"},
    "dagster_run": {"raw_value": "a-run", "type": "dagster_run"},
    "asset": {"raw_value": "raw/ab", "type": "asset"},
    "table": {"raw_value": {"records": [{"id": 1}], "schema": [COLUMN]}, "type": "table"},
    "table_schema": {"raw_value": {"columns": [COLUMN]}, "type": "table_schema"},
    "lineage": {"raw_value": {"deps_by_column": {"id": [{"asset_key": ["raw", "ab"], "column_name": "n"}]}},
                "type": "table_column_lineage"},
    "not_a_number": {"raw_value": float("nan"), "type": "float"},
}

with open_dagster_pipes(params_loader=loader) as pipes:
    pipes.log.debug("a detail")
    pipes.log.info("reading")
    pipes.log.warning("watch out")
    pipes.log.error("something")
    pipes.log.critical("worse")
    pipes.report_asset_materialization(metadata=METADATA, data_version="v1")
    pipes.report_asset_check(check_name="rows", passed=True, metadata={"n": 3})
    pipes.report_asset_check(check_name="dates", passed=False, severity="WARN")
    pipes.report_custom_message({"rows": 42, "context": {
        "asset_key": pipes.asset_key, "run_id": pipes.run_id, "job_name": pipes.job_name, "retry": pipes.retry_number,
        "extras": dict(pipes.extras), "code_version": pipes.code_version, "is_partition_step": pipes.is_partition_step}})
    pipes.report_custom_message([1, "two", None])
    print(json.dumps({"to": "stdout"}))
    print("to stderr", file=sys.stderr)
