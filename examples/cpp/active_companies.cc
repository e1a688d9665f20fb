// Join establishments of the company register with their companies and write Parquet: the main job, in C++.
//
//   active_companies FOLDER_WITH_ZIPS OUTPUT

#include <cstdio>
#include <string>

#include <mutirao/mutirao.h>

namespace mt = mutirao;

mt::Result<mt::Frame> ActiveCompanies(const std::string& dir) {
  auto companies =
      mt::ReadCsv(dir + "/Empresas*.zip", mt::layouts::Cnpj("empresas")).Select({"cnpj_basico", "razao_social"});
  return mt::ReadCsv(dir + "/Estabelecimentos*.zip", mt::layouts::Cnpj("estabelecimentos"))
      .Filter(mt::Col("situacao_cadastral") == "02")
      .Derive("nome_fantasia", mt::NullIf(mt::Trim(mt::Col("nome_fantasia")), ""))
      .Derive("data_inicio_atividade", mt::TryParseDate(mt::Col("data_inicio_atividade"), "%Y%m%d"))
      .Join(companies, {.on = {"cnpj_basico"}, .how = mt::Join::kLeft})
      .Select({"cnpj_basico", "cnpj_ordem", "cnpj_dv", "razao_social", "nome_fantasia", "data_inicio_atividade", "uf"});
}

mt::Status Run(const std::string& dir, const std::string& output) {
  auto frame = MUTIRAO_TRY(ActiveCompanies(dir));
  auto report =
      MUTIRAO_TRY(frame.WriteParquet(output, {.mode = mt::WriteOptions::Mode::kOverwrite, .partition_by = {"uf"}}));
  std::printf("read %lld = written %lld + filtered %lld + quarantined %lld\n", static_cast<long long>(report.rows_read),
              static_cast<long long>(report.rows_written), static_cast<long long>(report.rows_filtered),
              static_cast<long long>(report.rows_quarantined));
  return mt::Status::Ok();
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: active_companies FOLDER OUTPUT\n");
    return 2;
  }
  mt::Status status = Run(argv[1], argv[2]);
  if (!status.ok()) std::fprintf(stderr, "error: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
