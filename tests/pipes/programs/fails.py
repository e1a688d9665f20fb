"""A program whose work fails inside the session."""

from dagster_pipes import open_dagster_pipes

with open_dagster_pipes() as pipes:
    pipes.report_custom_message({"before": "the end"})
    try:
        {}["inner"]
    except KeyError as error:
        raise ValueError("Very bad error has happened!") from error
