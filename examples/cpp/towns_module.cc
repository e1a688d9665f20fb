// A module: an op in C++ that a job file uses as `module: libtowns_module.so#largest_towns`.

#include <string>

#include <mutirao/mutirao.h>

namespace mt = mutirao;

MUTIRAO_OP(largest_towns) {
  std::string input = MUTIRAO_TRY(ctx.ConfigText("input"));
  std::string output = MUTIRAO_TRY(ctx.ConfigText("output"));
  int64_t count = MUTIRAO_TRY(ctx.ConfigInteger("count"));

  auto towns = mt::ReadCsv(input + "/Municipios*.zip", mt::layouts::Cnpj("municipios"))
                   .Rename({{"codigo", "municipio"}, {"descricao", "town"}});
  auto report = MUTIRAO_TRY(mt::ReadCsv(input + "/Estabelecimentos*.zip", mt::layouts::Cnpj("estabelecimentos"))
                                .Aggregate({"municipio"}, {{"establishments", mt::Count()}})
                                .Join(towns, {.on = {"municipio"}, .how = mt::Join::kLeft})
                                .Sort({"-establishments", "town"})
                                .Limit(count)
                                .WriteCsv(output, {.mode = mt::WriteOptions::Mode::kOverwrite}));
  ctx.Log("wrote " + std::to_string(report.rows_written) + " towns");
  ctx.AddMetadata("rows", std::to_string(report.rows_written));
  return mt::Status::Ok();
}
