"""One benchmark job in DuckDB: duckdb_job.py J1 DATA OUT. The settings are those that make it fastest here."""

import sys
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from columns import COMPANY, ESTABLISHMENT, J1  # noqa: E402


def source(path, columns):
    names = "{" + ", ".join(f"'{c}': 'VARCHAR'" for c in columns) + "}"
    return (f"read_csv('{path}', delim=';', quote='\"', escape='\"', header=false, auto_detect=false, "
            f"encoding='latin-1', columns={names})")


def query(job, data):
    establishments, companies = source(f"{data}/est.csv", ESTABLISHMENT), source(f"{data}/emp.csv", COMPANY)
    if job == "J1":
        return f"select {', '.join(J1)} from {establishments} where situacao_cadastral = '02'"
    if job == "J3":
        return f"select * from {establishments}"
    cleaned = {"data_inicio_atividade": "strptime(data_inicio_atividade, '%Y%m%d')::date as data_inicio_atividade",
               "nome_fantasia": "trim(nome_fantasia) as nome_fantasia", "logradouro": "trim(logradouro) as logradouro"}
    return f"""
        select {', '.join(cleaned.get(c, c) for c in J1)}, razao_social, natureza_juridica, porte,
               replace(capital_social, ',', '.')::decimal(18, 2) as capital_social
        from {establishments} as e join {companies} as c using (cnpj_basico) where situacao_cadastral = '02'"""


job, data, out = sys.argv[1:]
connection = duckdb.connect()
connection.execute("set preserve_insertion_order = false")
connection.execute(f"copy ({query(job, data)}) to '{out}/part.parquet' (format parquet, compression zstd, compression_level 1)")
