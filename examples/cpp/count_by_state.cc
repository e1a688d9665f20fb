// Group, sort and look at the rows in memory; and see what a wrong column name gives.
//
//   count_by_state FOLDER_WITH_ZIPS

#include <cstdio>
#include <string>

#include <mutirao/mutirao.h>

namespace mt = mutirao;

mt::Status Run(const std::string& dir) {
  auto establishments = mt::ReadCsv(dir + "/Estabelecimentos*.zip", mt::layouts::Cnpj("estabelecimentos"));

  mt::Table table = MUTIRAO_TRY(establishments
                                    .Aggregate({"uf"}, {{"rows", mt::Count()},
                                                        {"companies", mt::CountDistinct(mt::Col("cnpj_basico"))},
                                                        {"share", mt::Sql("round(count() / 20.06, 1)")}})
                                    .Sort({"-rows", "uf"})
                                    .Limit(3)
                                    .Collect());
  std::printf("%s", table.ToString().c_str());
  for (int64_t row = 0; row < table.num_rows(); ++row) {
    if (table.Integer(row, "companies") > table.Integer(row, "rows")) return mt::Status::Internal("cannot be");
  }

  mt::Frame wrong = establishments.Filter(mt::Col("situacao") == "02");
  std::printf("%s\n", wrong.status().ToString().c_str());
  return mt::Status::Ok();
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  mt::Status status = Run(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "error: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
