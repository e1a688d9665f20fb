"""One benchmark job in Dask, with its own CSV reader: dask_csv_job.py J1 DATA OUT.

What the documentation of Dask shows and its users write: dask.dataframe.read_csv with pandas' own parser and texts. It is
told which columns are wanted, as a projection that follows does not reach the parser. The jobs are those of dask_job.py,
which hands blocks to pyarrow.
"""

import sys

import dask.dataframe as dd
import pandas as pd
import pyarrow as pa

import dask_job

TEXTS = {"sep": ";", "header": None, "dtype": str, "encoding": "latin-1", "keep_default_na": False, "na_values": [""]}


def cleaned(rows):
    if "data_inicio_atividade" in rows:
        days = pd.to_datetime(rows.data_inicio_atividade, format="%Y%m%d")
        rows = rows.assign(data_inicio_atividade=days.astype(pd.ArrowDtype(pa.date32())))
    if "capital_social" in rows:
        money = rows.capital_social.str.replace(",", ".", regex=False)
        rows = rows.assign(capital_social=money.astype(pd.ArrowDtype(pa.decimal128(18, 2))))
    return rows.assign(**{name: rows[name].str.strip(" ") for name in ("nome_fantasia", "logradouro") if name in rows})


def read(path, columns, keep, clean=None):
    # A gzip file cannot be entered in the middle.
    block = None if path.suffix == ".gz" else "64MB"
    rows = dd.read_csv(str(path), names=columns, usecols=keep, blocksize=block, **TEXTS)[keep]
    # Told, as Dask would try it on made-up texts, which are no dates.
    return rows.map_partitions(cleaned, meta=cleaned(rows._meta)) if clean else rows


if __name__ == "__main__":
    dask_job.main(*sys.argv[1:], read)
