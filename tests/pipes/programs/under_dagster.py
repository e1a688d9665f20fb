"""Run with a Python that has dagster: launch the C++ client from an asset and print what Dagster understood."""

import json
import sys

import dagster as dg

driver, made, check = sys.argv[1:4]


def launch(*flags):
    @dg.asset(check_specs=[dg.AssetCheckSpec(name="c", asset="target")], name="target")
    def target(context: dg.AssetExecutionContext, client: dg.PipesSubprocessClient):
        return client.run(context=context, command=[driver, *flags], extras={"k": 1}).get_results()

    return dg.materialize([target], resources={"client": dg.PipesSubprocessClient()}, raise_on_error=False)


good = launch("--full", "--logging", "--report-asset-materialization", made, "--every-metadata", "--report-asset-check", check)
[event] = good.get_asset_materialization_events()
materialization = event.step_materialization_data.materialization
own = {key for key in materialization.metadata if not key.startswith("dagster/")}
bad = launch("--throw-error")
print(json.dumps({
    "success": good.success, "metadata": len(own), "data_version": materialization.tags.get("dagster/data_version"),
    "check": good.get_asset_check_evaluations()[0].passed, "failed": not bad.success}))
