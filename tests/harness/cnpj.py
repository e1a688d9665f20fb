"""The register's rules, written a second time: the tests' own view of layouts and check digits."""

LAYOUTS = {
    "empresas": ["cnpj_basico", "razao_social", "natureza_juridica", "qualificacao_responsavel", "capital_social", "porte",
                 "ente_federativo_responsavel"],
    "estabelecimentos": ["cnpj_basico", "cnpj_ordem", "cnpj_dv", "identificador_matriz_filial", "nome_fantasia",
                         "situacao_cadastral", "data_situacao_cadastral", "motivo_situacao_cadastral",
                         "nome_cidade_exterior", "pais", "data_inicio_atividade", "cnae_fiscal_principal",
                         "cnae_fiscal_secundaria", "tipo_logradouro", "logradouro", "numero", "complemento", "bairro",
                         "cep", "uf", "municipio", "ddd_1", "telefone_1", "ddd_2", "telefone_2", "ddd_fax", "fax",
                         "correio_eletronico", "situacao_especial", "data_situacao_especial"],
    "socios": ["cnpj_basico", "identificador_socio", "nome_socio", "cnpj_cpf_socio", "qualificacao_socio",
               "data_entrada_sociedade", "pais", "representante_legal", "nome_representante",
               "qualificacao_representante", "faixa_etaria"],
    "simples": ["cnpj_basico", "opcao_simples", "data_opcao_simples", "data_exclusao_simples", "opcao_mei",
                "data_opcao_mei", "data_exclusao_mei"],
    **{domain: ["codigo", "descricao"]
       for domain in ("cnaes", "motivos", "municipios", "naturezas", "paises", "qualificacoes")},
}


def check_digits(base):
    """The two check digits of 12 characters [0-9A-Z] (IN RFB 2.229/2024, modulo 11)."""
    values = [ord(c) - 48 for c in base]
    for _ in range(2):
        remainder = sum(v * (2 + i % 8) for i, v in enumerate(reversed(values))) % 11
        values.append(0 if remainder < 2 else 11 - remainder)
    return f"{values[-2]}{values[-1]}"
