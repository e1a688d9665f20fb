"""One benchmark job in Spark on two local threads, its start included: spark_job.py J1 DATA OUT. Needs Java 17."""

import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from columns import COMPANY, ESTABLISHMENT, J1  # noqa: E402


def read(spark, path, columns):
    schema = ", ".join(f"{c} string" for c in columns)
    return spark.read.csv(path, schema=schema, sep=";", quote='"', escape='"', encoding="ISO-8859-1", header=False,
                          nullValue="", emptyValue="")


def joined(active, companies):
    cleaned = active.withColumns({"data_inicio_atividade": f.to_date("data_inicio_atividade", "yyyyMMdd"),
                                  "nome_fantasia": f.trim("nome_fantasia"), "logradouro": f.trim("logradouro")})
    capital = f.regexp_replace("capital_social", ",", ".").cast("decimal(18,2)").alias("capital_social")
    return cleaned.join(companies.select("cnpj_basico", "razao_social", "natureza_juridica", "porte", capital), "cnpj_basico")


def by_activity(establishments):
    return establishments.groupBy("uf", "cnae_fiscal_principal").agg(
        f.count("*").alias("establishments"), f.count("correio_eletronico").alias("with_email"),
        f.sum((f.col("situacao_cadastral") == "02").cast("long")).alias("active"),
        f.sum(2026 - f.substring("data_inicio_atividade", 1, 4).cast("long")).alias("years"),
        f.countDistinct("cnpj_basico").alias("companies"))


def by_town(spark, data):
    companies = spark.read.parquet(f"{data}/emp.parquet").select("cnpj_basico", "natureza_juridica", "capital_social")
    towns = spark.read.parquet(f"{data}/est.parquet").where("situacao_cadastral = '02'")
    return towns.join(companies, "cnpj_basico").groupBy("uf", "municipio", "natureza_juridica").agg(
        f.count("*").alias("establishments"), f.max("data_inicio_atividade").alias("newest"),
        f.sum("capital_social").alias("capital"))


def frame(spark, job, data):
    if job == "J7":
        return by_town(spark, data)
    establishments = read(spark, f"{data}/est.csv{'.gz' if job == 'J4' else ''}", ESTABLISHMENT)
    active = establishments.where("situacao_cadastral = '02'").select(*J1)
    if job in ("J1", "J4"):
        return active
    if job == "J2":
        return joined(active, read(spark, f"{data}/emp.csv", COMPANY))
    if job == "J3":
        return establishments
    if job == "J5":
        return by_activity(establishments)
    sys.exit(f"spark_job.py knows no {job}")


job, data, out = sys.argv[1:]
spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "4g")
         .config("spark.sql.shuffle.partitions", "8").config("spark.sql.parquet.compression.codec", "zstd")
         .config("spark.hadoop.parquet.compression.codec.zstd.level", "1").getOrCreate())
frame(spark, job, data).write.parquet(f"{out}/dataset")
spark.stop()
