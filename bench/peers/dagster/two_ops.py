"""The two-op job of bench/control_plane.py, as a user of Dagster writes it."""

import subprocess

from dagster import Definitions, In, Nothing, job, op


@op
def first():
    subprocess.run(["true"], check=True)


@op(ins={"before": In(Nothing)})
def second():
    subprocess.run(["true"], check=True)


@job
def two():
    second(before=first())


definitions = Definitions(jobs=[two])
