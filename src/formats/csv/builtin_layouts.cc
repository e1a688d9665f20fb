#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "formats/csv/layout.h"

namespace mutirao::formats::csv {
namespace {

// The tables of the Brazilian company register ("Dados Abertos CNPJ", Receita Federal); column names are the labels of
// its layout document, without accents. Every field is text: codes have leading zeros, dates are YYYYMMDD or zeros.
struct RegisterTable {
  std::string_view name;
  std::string_view description;
  std::string_view columns;  // separated by blanks
};

constexpr std::string_view kDomainColumns = "codigo descricao";

constexpr RegisterTable kTables[] = {
    {"cnpj/empresas", "Companies (EMPRECSV), one row a root number",
     "cnpj_basico razao_social natureza_juridica qualificacao_responsavel capital_social porte "
     "ente_federativo_responsavel"},
    {"cnpj/estabelecimentos", "Establishments (ESTABELE), one row a full number",
     "cnpj_basico cnpj_ordem cnpj_dv identificador_matriz_filial nome_fantasia situacao_cadastral "
     "data_situacao_cadastral motivo_situacao_cadastral nome_cidade_exterior pais data_inicio_atividade "
     "cnae_fiscal_principal cnae_fiscal_secundaria tipo_logradouro logradouro numero complemento bairro cep uf "
     "municipio "
     "ddd_1 telefone_1 ddd_2 telefone_2 ddd_fax fax correio_eletronico situacao_especial data_situacao_especial"},
    {"cnpj/socios", "Partners (SOCIOCSV), without a key",
     "cnpj_basico identificador_socio nome_socio cnpj_cpf_socio qualificacao_socio data_entrada_sociedade pais "
     "representante_legal nome_representante qualificacao_representante faixa_etaria"},
    {"cnpj/simples", "Simples and MEI options (SIMPLES)",
     "cnpj_basico opcao_simples data_opcao_simples data_exclusao_simples opcao_mei data_opcao_mei data_exclusao_mei"},
    {"cnpj/cnaes", "Economic activities (CNAECSV)", kDomainColumns},
    {"cnpj/motivos", "Reasons of a registration status (MOTICSV)", kDomainColumns},
    {"cnpj/municipios", "Municipalities by their TOM code (MUNICCSV)", kDomainColumns},
    {"cnpj/naturezas", "Legal natures (NATJUCSV)", kDomainColumns},
    {"cnpj/paises", "Countries (PAISCSV)", kDomainColumns},
    {"cnpj/qualificacoes", "Qualifications of partners and persons in charge (QUALSCSV)", kDomainColumns},
};

Json ColumnList(std::string_view names) {
  Json list = Json::array();
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    list.push_back({{"name", names.substr(0, end)}});
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return list;
}

Json RegisterLayout(const RegisterTable& table) {
  return {{"name", table.name},
          {"description", table.description},
          {"delimiter", ";"},
          {"encoding", "latin-1"},
          {"header", false},
          {"nul", "drop"},
          {"nulls", Json::array({""})},
          {"columns", ColumnList(table.columns)}};
}

Json TaxRegimeLayout() {
  return {{"name", "cnpj/regime_tributario"},
          {"description", "Tax regimes by year (lucro real, presumido, arbitrado; imunes e isentas)"},
          {"delimiter", ","},
          {"encoding", "latin-1"},
          {"header", true},
          {"nul", "drop"},
          {"nulls", Json::array({""})},
          {"columns", ColumnList("ano cnpj cnpj_da_scp forma_de_tributacao quantidade_de_escrituracoes")}};
}

}  // namespace

std::optional<Json> BuiltinLayout(std::string_view name) {
  for (const RegisterTable& table : kTables) {
    if (table.name == name) return RegisterLayout(table);
  }
  if (name == "cnpj/regime_tributario") return TaxRegimeLayout();
  return std::nullopt;
}

std::vector<std::string> BuiltinLayoutNames() {
  std::vector<std::string> names = {"cnpj/regime_tributario"};
  for (const RegisterTable& table : kTables) names.emplace_back(table.name);
  std::ranges::sort(names);
  return names;
}

}  // namespace mutirao::formats::csv
