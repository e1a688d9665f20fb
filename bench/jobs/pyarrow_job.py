"""One benchmark job in pyarrow: pyarrow_job.py J1 DATA OUT. Batches are streamed from a reader into a writer."""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet
from pyarrow.acero import AggregateNodeOptions, Declaration, FilterNodeOptions, HashJoinNodeOptions, ScanNodeOptions

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from columns import ESTABLISHMENT, J1  # noqa: E402


def write(batches, schema, out):
    with pyarrow.parquet.ParquetWriter(f"{out}/part.parquet", schema, compression="zstd", compression_level=1) as writer:
        for batch in batches:
            writer.write_batch(batch)


def active(path, out):
    keep = [*J1, "situacao_cadastral"]
    reader = pyarrow.csv.open_csv(
        path,
        pyarrow.csv.ReadOptions(column_names=ESTABLISHMENT, encoding="latin-1", block_size=16 << 20),
        pyarrow.csv.ParseOptions(delimiter=";"),
        pyarrow.csv.ConvertOptions(include_columns=keep, column_types={c: pa.string() for c in keep},
                                   null_values=[""], strings_can_be_null=True))
    rows = (batch.filter(pc.equal(batch["situacao_cadastral"], "02")).select(J1) for batch in reader)
    write(rows, pa.schema([(c, pa.string()) for c in J1]), out)


def by_town(data, out):
    def scan(name, columns, rows=None):
        options = ScanNodeOptions(pyarrow.dataset.dataset(f"{data}/{name}"), columns=columns, filter=rows)
        scanned = Declaration("scan", options)
        return Declaration.from_sequence([scanned, Declaration("filter", FilterNodeOptions(rows))]) if rows is not None else scanned

    keys = ["uf", "municipio", "natureza_juridica"]
    towns = scan("est.parquet", ["cnpj_basico", "situacao_cadastral", "uf", "municipio", "data_inicio_atividade"],
                 pc.field("situacao_cadastral") == "02")
    companies = scan("emp.parquet", ["cnpj_basico", "natureza_juridica", "capital_social"])
    join = HashJoinNodeOptions("inner", ["cnpj_basico"], ["cnpj_basico"], ["uf", "municipio", "data_inicio_atividade"],
                               ["natureza_juridica", "capital_social"])
    group = AggregateNodeOptions([([], "hash_count_all", None, "establishments"),
                                  ("data_inicio_atividade", "hash_max", None, "newest"),
                                  ("capital_social", "hash_sum", None, "capital")], keys)
    joined = Declaration("hashjoin", join, inputs=[towns, companies])
    reader = Declaration("aggregate", group, inputs=[joined]).to_reader()
    write(reader, reader.schema, out)


job, data, out = sys.argv[1:]
if job in ("J1", "J4"):
    active(f"{data}/est.csv{'.gz' if job == 'J4' else ''}", out)
elif job == "J7":
    by_town(data, out)
else:
    sys.exit(f"pyarrow_job.py knows no {job}")
