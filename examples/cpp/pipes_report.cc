// A program that Dagster or Mutirão launches and that reports what it did: rows counted, a check, a log line. Run by
// hand it does the same work and tells nobody.
#include <iostream>

#include <mutirao/mutirao.h>
#include <mutirao/pipes.h>

namespace mt = mutirao;

mt::Status CountCompanies(mt::pipes::Session& session) {
  std::string input = "examples/active_companies/data";
  if (session.context().HasExtra("input")) input = MUTIRAO_TRY(session.context().ExtraText("input"));
  auto table = MUTIRAO_TRY(mt::ReadCsv(input + "/Empresas*.zip", mt::layouts::Cnpj("empresas"))
                               .Aggregate({}, {{"companies", mt::Count()}})
                               .Collect());
  const int64_t companies = *table.Integer(0, "companies");
  std::cout << companies << " companies\n";

  MUTIRAO_TRY(session.LogInfo("counted " + input));
  MUTIRAO_TRY(session.ReportAssetCheck({.check_name = "not_empty", .passed = companies > 0}));
  MUTIRAO_TRY(session.ReportCustomMessage(R"({"companies": )" + std::to_string(companies) + "}"));
  return session.ReportAssetMaterialization({.metadata = {{"companies", companies}}});
}

int main(int argc, char** argv) {
  return mt::pipes::Run(argc, argv, CountCompanies);
}
