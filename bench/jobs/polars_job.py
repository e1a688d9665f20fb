"""One benchmark job in Polars, streaming: polars_job.py J1 DATA OUT. Reads the UTF-8 copy, as Polars knows no Latin-1."""

import sys
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from columns import COMPANY, ESTABLISHMENT, J1  # noqa: E402


def scan(path, columns):
    return pl.scan_csv(path, separator=";", has_header=False, schema={c: pl.String for c in columns},
                       null_values=[""])


def joined(active, companies):
    return active.with_columns(
        pl.col("data_inicio_atividade").str.to_date("%Y%m%d"),
        pl.col("nome_fantasia", "logradouro").str.strip_chars(" ")).join(
        companies.select("cnpj_basico", "razao_social", "natureza_juridica", "porte",
                         pl.col("capital_social").str.replace(",", ".", literal=True).str.to_decimal(scale=2)),
        on="cnpj_basico")


def by_activity(establishments):
    return establishments.group_by("uf", "cnae_fiscal_principal").agg(
        pl.len().alias("establishments"),
        pl.col("correio_eletronico").count().alias("with_email"),
        (pl.col("situacao_cadastral") == "02").sum().alias("active"),
        (2026 - pl.col("data_inicio_atividade").str.slice(0, 4).cast(pl.Int64)).sum().alias("years"),
        pl.col("cnpj_basico").n_unique().alias("companies"))


def by_town(data):
    companies = pl.scan_parquet(f"{data}/emp.parquet").select("cnpj_basico", "natureza_juridica", "capital_social")
    return (pl.scan_parquet(f"{data}/est.parquet").filter(pl.col("situacao_cadastral") == "02")
            .select("cnpj_basico", "uf", "municipio", "data_inicio_atividade").join(companies, on="cnpj_basico")
            .group_by("uf", "municipio", "natureza_juridica").agg(
                pl.len().alias("establishments"), pl.col("data_inicio_atividade").max().alias("newest"),
                pl.col("capital_social").sum().alias("capital")))


def frame(job, data):
    if job == "J7":
        return by_town(data)
    establishments = scan(f"{data}/est_utf8.csv{'.gz' if job == 'J4' else ''}", ESTABLISHMENT)
    active = establishments.filter(pl.col("situacao_cadastral") == "02").select(J1)
    if job in ("J1", "J4"):
        return active
    if job == "J2":
        return joined(active, scan(f"{data}/emp_utf8.csv", COMPANY))
    if job == "J3":
        return establishments
    if job == "J5":
        return by_activity(establishments)
    sys.exit(f"polars_job.py knows no {job}")


job, data, out = sys.argv[1:]
frame(job, data).sink_parquet(f"{out}/part.parquet", compression="zstd", compression_level=1, maintain_order=False)
