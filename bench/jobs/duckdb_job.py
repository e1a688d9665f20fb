"""One benchmark job in DuckDB: duckdb_job.py J1 DATA OUT. The settings are those that make it fastest here."""

import sys
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from columns import COMPANY, ESTABLISHMENT, J1, read_csv  # noqa: E402


def joined(establishments, companies):
    cleaned = {"data_inicio_atividade": "strptime(data_inicio_atividade, '%Y%m%d')::date as data_inicio_atividade",
               "nome_fantasia": "trim(nome_fantasia) as nome_fantasia", "logradouro": "trim(logradouro) as logradouro"}
    return f"""
        select {', '.join(cleaned.get(c, c) for c in J1)}, razao_social, natureza_juridica, porte,
               replace(capital_social, ',', '.')::decimal(18, 2) as capital_social
        from {establishments} as e join {companies} as c using (cnpj_basico) where situacao_cadastral = '02'"""


def query(job, data):
    establishments = read_csv(f"{data}/est.csv{'.gz' if job == 'J4' else ''}", ESTABLISHMENT)
    if job in ("J1", "J4"):
        return f"select {', '.join(J1)} from {establishments} where situacao_cadastral = '02'"
    if job in ("J2", "J6"):
        return joined(establishments, read_csv(f"{data}/emp.csv", COMPANY))
    if job == "J3":
        return f"select * from {establishments}"
    if job == "J5":
        return f"""
            select uf, cnae_fiscal_principal, count(*) as establishments, count(correio_eletronico) as with_email,
                   sum(case when situacao_cadastral = '02' then 1 else 0 end)::bigint as active,
                   sum(2026 - substr(data_inicio_atividade, 1, 4)::bigint)::bigint as years,
                   count(distinct cnpj_basico) as companies
            from {establishments} group by uf, cnae_fiscal_principal"""
    if job == "J7":
        return f"""
            select uf, municipio, natureza_juridica, count(*) as establishments, max(data_inicio_atividade) as newest,
                   sum(capital_social) as capital
            from '{data}/est.parquet' join '{data}/emp.parquet' using (cnpj_basico)
            where situacao_cadastral = '02' group by uf, municipio, natureza_juridica"""
    sys.exit(f"duckdb_job.py knows no {job}")


job, data, out = sys.argv[1:]
connection = duckdb.connect()
connection.execute("set preserve_insertion_order = false")
if job == "J6":  # with 2 GB it gives up, with 8 GB it may end with a CSV error at a row that has none
    connection.execute(f"set memory_limit = '16GB'; set temp_directory = '{out}/spill'")
connection.execute(f"copy ({query(job, data)}) to '{out}/part.parquet' (format parquet, compression zstd, compression_level 1)")
