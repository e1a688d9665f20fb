"""One benchmark job in Polars, streaming: polars_job.py J1 DATA OUT. Reads the UTF-8 copy, as Polars knows no Latin-1."""

import sys
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from columns import COMPANY, ESTABLISHMENT, J1  # noqa: E402


def scan(path, columns):
    return pl.scan_csv(path, separator=";", has_header=False, schema={c: pl.String for c in columns},
                       null_values=[""])


def frame(job, data):
    establishments = scan(f"{data}/est_utf8.csv", ESTABLISHMENT)
    if job == "J3":
        return establishments
    active = establishments.filter(pl.col("situacao_cadastral") == "02").select(J1)
    if job == "J1":
        return active
    companies = scan(f"{data}/emp_utf8.csv", COMPANY).select(
        "cnpj_basico", "razao_social", "natureza_juridica", "porte",
        pl.col("capital_social").str.replace(",", ".", literal=True).str.to_decimal(scale=2))
    return active.with_columns(
        pl.col("data_inicio_atividade").str.to_date("%Y%m%d"),
        pl.col("nome_fantasia", "logradouro").str.strip_chars(" ")).join(companies, on="cnpj_basico")


job, data, out = sys.argv[1:]
frame(job, data).sink_parquet(f"{out}/part.parquet", compression="zstd", compression_level=1, maintain_order=False)
