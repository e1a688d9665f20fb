"""Column names of the two tables, those that job J1 keeps, and how DuckDB is told to read them."""

ESTABLISHMENT = """cnpj_basico cnpj_ordem cnpj_dv identificador_matriz_filial nome_fantasia situacao_cadastral
    data_situacao_cadastral motivo_situacao_cadastral nome_cidade_exterior pais data_inicio_atividade
    cnae_fiscal_principal cnae_fiscal_secundaria tipo_logradouro logradouro numero complemento bairro cep uf municipio
    ddd_1 telefone_1 ddd_2 telefone_2 ddd_fax fax correio_eletronico situacao_especial data_situacao_especial""".split()
COMPANY = """cnpj_basico razao_social natureza_juridica qualificacao_responsavel capital_social porte
    ente_federativo_responsavel""".split()
J1 = """cnpj_basico cnpj_ordem cnpj_dv nome_fantasia data_inicio_atividade cnae_fiscal_principal cnae_fiscal_secundaria
    logradouro municipio correio_eletronico""".split()
J5 = ["uf", "cnae_fiscal_principal", "correio_eletronico", "situacao_cadastral", "data_inicio_atividade", "cnpj_basico"]


def read_csv(path, columns):
    """The table function of DuckDB with everything said that it would otherwise have to find out."""
    names = "{" + ", ".join(f"'{c}': 'VARCHAR'" for c in columns) + "}"
    return (f"read_csv('{path}', delim=';', quote='\"', escape='\"', header=false, auto_detect=false, "
            f"encoding='latin-1', columns={names})")
