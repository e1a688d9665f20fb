"""The main job computed twice without Mutirão, straight from the ZIP files: in SQL by DuckDB and step by step by pandas."""

import datetime
import zipfile
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd

from harness.cnpj import LAYOUTS

COLUMNS = ["cnpj", "cnpj_formatado", "matriz", "razao_social", "nome_fantasia", "natureza_juridica", "porte",
           "capital_social", "data_situacao_cadastral", "data_inicio_atividade", "cnae_fiscal_principal",
           "cnae_descricao", "cnaes_secundarios", "logradouro", "numero", "bairro", "cep", "municipio",
           "municipio_nome", "uf", "correio_eletronico", "simples", "mei", "data_opcao_simples"]

SQL = """
select e.cnpj_basico || e.cnpj_ordem || e.cnpj_dv as cnpj,
       substr(cnpj, 1, 2) || '.' || substr(cnpj, 3, 3) || '.' || substr(cnpj, 6, 3) || '/' || substr(cnpj, 9, 4) || '-' || substr(cnpj, 13),
       e.identificador_matriz_filial = '1',
       trim(c.razao_social), nullif(trim(e.nome_fantasia), ''), c.natureza_juridica, c.porte,
       cast(replace(c.capital_social, ',', '.') as decimal(18, 2)),
       cast(try_strptime(e.data_situacao_cadastral, '%Y%m%d') as date),
       cast(try_strptime(e.data_inicio_atividade, '%Y%m%d') as date),
       e.cnae_fiscal_principal, a.descricao,
       coalesce(len(string_split(e.cnae_fiscal_secundaria, ',')), 0),
       trim(coalesce(e.tipo_logradouro, '') || ' ' || coalesce(e.logradouro, '')),
       e.numero, nullif(trim(e.bairro), ''), lpad(e.cep, 8, '0'), e.municipio, t.descricao, e.uf,
       lower(trim(e.correio_eletronico)),
       coalesce(s.opcao_simples = 'S', false), coalesce(s.opcao_mei = 'S', false),
       cast(try_strptime(s.data_opcao_simples, '%Y%m%d') as date)
from estabelecimentos e
left join empresas c using (cnpj_basico)
left join simples s using (cnpj_basico)
left join municipios t on t.codigo = e.municipio
left join cnaes a on a.codigo = e.cnae_fiscal_principal
where e.situacao_cadastral = '02'
"""


def unpack(zips, folder):
    """Write the only member of each ZIP as <name>.csv; gives the paths."""
    paths = []
    for path in sorted(zips):
        with zipfile.ZipFile(path) as archive:
            [member] = archive.namelist()
            target = Path(folder) / f"{Path(path).stem}.csv"
            target.write_bytes(archive.read(member))
            paths.append(target)
    return paths


def by_duckdb(dump, folder):
    connection = duckdb.connect()
    for table in ("estabelecimentos", "empresas", "simples", "municipios", "cnaes"):
        files = [str(p) for p in unpack(Path(dump).glob(f"{table.capitalize()}*.zip"), folder)]
        columns = {name: "VARCHAR" for name in LAYOUTS[table]}
        connection.execute(f"""create view {table} as select * from read_csv({files}, columns={columns}, delim=';',
            quote='"', escape='"', header=false, encoding='latin-1', auto_detect=false, nullstr='', allow_quoted_nulls=true)""")
    return connection.execute(SQL).fetchall()


def frame(dump, table):
    parts = [pd.read_csv(path, sep=";", header=None, names=LAYOUTS[table], dtype=object, encoding="latin-1",
                         keep_default_na=False, compression="zip")
             for path in sorted(Path(dump).glob(f"{table.capitalize()}*.zip"))]
    return pd.concat(parts, ignore_index=True)


def text(value):
    return value if isinstance(value, str) and value != "" else None


def date(value):
    try:
        return datetime.datetime.strptime(value, "%Y%m%d").date() if len(value or "") == 8 else None
    except ValueError:
        return None


def by_pandas(dump):
    active = frame(dump, "estabelecimentos")
    active = active[active.situacao_cadastral == "02"]
    joined = (active.merge(frame(dump, "empresas"), on="cnpj_basico", how="left")
              .merge(frame(dump, "simples"), on="cnpj_basico", how="left")
              .merge(frame(dump, "municipios").rename(columns={"codigo": "municipio", "descricao": "town"}), on="municipio", how="left")
              .merge(frame(dump, "cnaes").rename(columns={"codigo": "cnae_fiscal_principal", "descricao": "activity"}),
                     on="cnae_fiscal_principal", how="left"))
    return [row(r) for r in joined.to_dict("records")]


def row(r):
    r = {name: text(value) for name, value in r.items()}
    cnpj = r["cnpj_basico"] + r["cnpj_ordem"] + r["cnpj_dv"]
    stripped = {name: (r[name] or "").strip(" ") for name in ("razao_social", "nome_fantasia", "bairro")}
    secondary = r["cnae_fiscal_secundaria"]
    email = r["correio_eletronico"]
    return (
        cnpj, f"{cnpj[:2]}.{cnpj[2:5]}.{cnpj[5:8]}/{cnpj[8:12]}-{cnpj[12:]}", r["identificador_matriz_filial"] == "1",
        stripped["razao_social"] if r["razao_social"] else None, stripped["nome_fantasia"] or None,
        r["natureza_juridica"], r["porte"],
        Decimal(r["capital_social"].replace(",", ".")) if r["capital_social"] else None,
        date(r["data_situacao_cadastral"]), date(r["data_inicio_atividade"]), r["cnae_fiscal_principal"], r["activity"],
        len(secondary.split(",")) if secondary else 0,
        " ".join([r["tipo_logradouro"] or "", r["logradouro"] or ""]).strip(" "),
        r["numero"], stripped["bairro"] or None, r["cep"].rjust(8, "0") if r["cep"] else None,
        r["municipio"], r["town"], r["uf"], email.strip(" ").lower() if email else None,
        r["opcao_simples"] == "S", r["opcao_mei"] == "S", date(r["data_opcao_simples"]))
