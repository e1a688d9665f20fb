"""Write a small text report of the dataset: report.py DATASET REPORT. Needs pyarrow."""

import sys
from pathlib import Path

try:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds
except ModuleNotFoundError:
    sys.exit(f"report.py needs pyarrow, which {sys.executable} does not have: put another python3 in front of PATH")

dataset, report = sys.argv[1:]
table = ds.dataset(dataset, format="parquet", partitioning="hive").to_table(
    columns=["uf", "cnpj", "razao_social", "capital_social", "simples", "mei"])

lines = [f"{table.num_rows} active establishments, {pc.sum(pc.is_valid(table['razao_social'])).as_py() or 0} with a company",
         "", f"{'state':<5} {'rows':>6} {'simples':>8} {'mei':>6} {'capital':>18}"]
totals = table.group_by("uf").aggregate(
    [("cnpj", "count"), ("simples", "sum"), ("mei", "sum"), ("capital_social", "sum")])
for row in sorted(totals.to_pylist(), key=lambda r: (-r["cnpj_count"], r["uf"])):
    lines.append(f"{row['uf']:<5} {row['cnpj_count']:>6} {row['simples_sum']:>8} {row['mei_sum']:>6} "
                 f"{row['capital_social_sum'] or 0:>18,}")

Path(report).parent.mkdir(parents=True, exist_ok=True)
Path(report).write_text("\n".join(lines) + "\n")
print("\n".join(lines[:8]))
