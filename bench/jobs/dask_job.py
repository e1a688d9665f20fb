"""One benchmark job in Dask: dask_job.py J1 DATA OUT. A cluster of two workers of one thread, its start included.

Blocks of a file are read by pyarrow, on half the CPU that pandas' own parser takes, and stay Arrow columns.
"""

import os
import sys
from pathlib import Path

import dask
import dask.dataframe as dd
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from dask.bytes import read_bytes
from dask.distributed import Client, LocalCluster

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from columns import COMPANY, ESTABLISHMENT, J1, J5  # noqa: E402


def parse(block, columns, keep, clean=None):
    """A block of whole lines as a frame of Arrow columns, with some of them replaced: clean(name, column)."""
    table = pyarrow.csv.read_csv(
        pa.BufferReader(block) if isinstance(block, bytes) else block,
        pyarrow.csv.ReadOptions(column_names=columns, encoding="latin-1", use_threads=False, block_size=8 << 20),
        pyarrow.csv.ParseOptions(delimiter=";"),
        pyarrow.csv.ConvertOptions(include_columns=keep, column_types={c: pa.string() for c in keep},
                                   null_values=[""], strings_can_be_null=True))
    if clean:
        table = pa.table({name: clean(name, table[name]) for name in keep})
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def read(path, columns, keep, clean=None):
    if path.suffix == ".gz":  # cannot be entered in the middle
        blocks = [path]
    else:
        blocks = read_bytes(str(path), delimiter=b"\n", blocksize="64MB", sample=False)[1][0]
    parts = [dask.delayed(parse)(block, columns, keep, clean) for block in blocks]
    example = parse(b";".join([b'""'] * len(columns)), columns, keep, clean)
    return dd.from_delayed(parts, meta=example.iloc[:0], verify_meta=False)


def cleaned(name, column):
    if name == "data_inicio_atividade":
        iso = [pc.utf8_slice_codeunits(column, begin, end) for begin, end in ((0, 4), (4, 6), (6, 8))]
        return pc.binary_join_element_wise(*iso, "-").cast(pa.date32())
    if name in ("nome_fantasia", "logradouro"):
        return pc.utf8_trim(column, " ")
    if name == "capital_social":
        return pc.replace_substring(column, ",", ".").cast(pa.decimal128(18, 2))
    return column


def joined(data, read):
    active = read(data / "est.csv", ESTABLISHMENT, [*J1, "situacao_cadastral"], cleaned)
    companies = read(data / "emp.csv", COMPANY,
                     ["cnpj_basico", "razao_social", "natureza_juridica", "porte", "capital_social"], cleaned)
    return active[active.situacao_cadastral == "02"][J1].merge(companies, on="cnpj_basico")


def by_activity(data, read):
    rows = read(data / "est.csv", ESTABLISHMENT, J5)
    rows["active"] = (rows.situacao_cadastral == "02").astype("int64")
    rows["years"] = 2026 - rows.data_inicio_atividade.str.slice(0, 4).astype("int64")
    keys = ["uf", "cnae_fiscal_principal"]
    groups = rows.groupby(keys, observed=True)
    # In one part: the groups are few, and Dask fails to join groupings by two columns that it cut into several.
    sums = groups.agg(establishments=("cnpj_basico", "count"), with_email=("correio_eletronico", "count"),
                      active=("active", "sum"), years=("years", "sum"), split_out=1)
    return sums.join(groups.cnpj_basico.nunique(split_out=1).rename("companies")).reset_index()


def by_town(data, _):
    towns = dd.read_parquet(data / "est.parquet", columns=["cnpj_basico", "uf", "municipio", "data_inicio_atividade"],
                            filters=[("situacao_cadastral", "==", "02")], dtype_backend="pyarrow")
    companies = dd.read_parquet(data / "emp.parquet", columns=["cnpj_basico", "natureza_juridica", "capital_social"],
                                dtype_backend="pyarrow")
    groups = towns.merge(companies, on="cnpj_basico").groupby(["uf", "municipio", "natureza_juridica"], observed=True).agg(
        establishments=("cnpj_basico", "count"), newest=("data_inicio_atividade", "max"),
        capital=("capital_social", "sum"))
    return groups.reset_index()


def frame(job, data, read):
    if job in ("J1", "J4"):
        rows = read(data / ("est.csv.gz" if job == "J4" else "est.csv"), ESTABLISHMENT, [*J1, "situacao_cadastral"])
        return rows[rows.situacao_cadastral == "02"][J1]
    if job == "J3":
        return read(data / "est.csv", ESTABLISHMENT, ESTABLISHMENT)
    if job in ("J2", "J5", "J7"):
        return {"J2": joined, "J5": by_activity, "J7": by_town}[job](data, read)
    sys.exit(f"dask_job.py knows no {job}")


def main(job, data, out, read):
    """`read` gives a table of the register as a frame: what differs between the ways to read CSV."""
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        frame(job, Path(data), read).to_parquet(out, compression="zstd", compression_level=1, write_index=False)
    # Written and closed. Python 3.11's own way out may abort ("exception not rethrown") when a thread that the
    # cluster left behind wakes up inside Arrow's code while the interpreter goes away.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:], read)
