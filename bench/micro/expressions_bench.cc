// mutirao-expressions-bench: values a second and core of expressions over register-like columns, 65,536 rows a batch.

#include <benchmark/benchmark.h>

#include <random>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "frame/expr/bind.h"
#include "frame/expr/evaluate.h"
#include "frame/expr/expr.h"

namespace mutirao::frame {
namespace {

constexpr int64_t kRows = 65536;

template <typename F>
ArrayPtr MakeTexts(F&& make) {
  arrow::StringBuilder builder;
  for (int64_t row = 0; row < kRows; ++row) MUTIRAO_MUST(builder.Append(make()));
  return MUTIRAO_MUST(builder.Finish());
}

BatchPtr MakeBatch() {
  std::mt19937 random(1);
  auto below = [&](uint32_t limit) { return random() % limit; };
  constexpr const char* kStates[] = {"SP", "RJ", "MG", "BA", "RS", "PR", "SC", "PE"};
  constexpr const char* kNames[] = {"PADARIA SÃO JOSÉ LTDA", "COMERCIO DE ROUPAS ", "JOSE DA SILVA 12345678901", "",
                                    "  TRANSPORTES UNIÃO S.A."};
  arrow::Int64Builder numbers;
  arrow::Date32Builder dates;
  for (int64_t row = 0; row < kRows; ++row) {
    MUTIRAO_MUST(numbers.Append(below(1000)));
    MUTIRAO_MUST(dates.Append(static_cast<int32_t>(below(20000))));
  }
  std::vector<std::pair<const char*, ArrayPtr>> columns = {
      {"status", MakeTexts([&] { return fmt::format("{:02}", below(9)); })},
      {"uf", MakeTexts([&] { return kStates[below(8)]; })},
      {"code", MakeTexts([&] { return fmt::format("{:07}", below(9999999)); })},
      {"name", MakeTexts([&] { return kNames[below(5)]; })},
      {"day", MakeTexts([&] { return fmt::format("{}{:02}{:02}", 1970 + below(55), 1 + below(12), 1 + below(28)); })},
      {"amount", MakeTexts([&] { return fmt::format("{},{:02}", below(1000000), below(100)); })},
      {"price", MakeTexts([&] { return fmt::format("{}.{:02}", below(1000000), below(100)); })},
      {"cnpj", MakeTexts([&] { return fmt::format("{:08}0001{:02}", below(99999999), below(100)); })},
      {"codes", MakeTexts([&] { return fmt::format("{:07},{:07},{:07}", below(9999999), below(99), below(999)); })},
      {"n", MUTIRAO_MUST(numbers.Finish())},
      {"d", MUTIRAO_MUST(dates.Finish())}};
  arrow::FieldVector fields;
  std::vector<ArrayPtr> arrays;
  for (auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), kRows, arrays);
}

void Measure(benchmark::State& state, const std::string& text) {
  static const BatchPtr batch = MakeBatch();
  auto bound = MUTIRAO_MUST(Bind(MUTIRAO_MUST(ParseExpr(text)), *batch->schema()));
  auto evaluator = MUTIRAO_MUST(Evaluator::Make(bound, batch->schema()));
  for (auto _ : state) benchmark::DoNotOptimize(MUTIRAO_MUST(evaluator->Evaluate(*batch)));
  state.SetItemsProcessed(state.iterations() * kRows);
}

}  // namespace
}  // namespace mutirao::frame

int main(int argc, char** argv) {
  for (const char* text : {"status = '02'",
                           "n > 500",
                           "n in (1, 5, 9, 200)",
                           "uf in ('SP', 'RJ', 'MG')",
                           "code in ('6201501', '6202300', '4711302', '5611201', '9602501')",
                           "trim(name)",
                           "nullif(trim(name), '')",
                           "upper(name)",
                           "lower(name)",
                           "unaccent(name)",
                           "length(name)",
                           "substr(cnpj, 1, 8)",
                           "name like '%LTDA%'",
                           "starts_with(cnpj, '33')",
                           "parse_date(day, '%Y%m%d')",
                           "try_parse_date(day, '%Y%m%d')",
                           "replace(amount, ',', '.')",
                           "cast(price as decimal(18,2))",
                           "cast(replace(amount, ',', '.') as decimal(18,2))",
                           "cast(code as int64)",
                           "cast(n as string)",
                           "lpad(code, 8, '0')",
                           "uf || ' ' || name",
                           "concat(uf, ' ', name)",
                           "split(codes, ',')",
                           "length(split(codes, ','))",
                           "year(d)",
                           "date_trunc('month', d)",
                           "case when n > 500 then 'high' else 'low' end",
                           "coalesce(nullif(name, ''), uf)",
                           "n * 2 + 1",
                           "n / 3",
                           "hash(cnpj)",
                           "digits_only(amount)",
                           "cnpj_valid(cnpj)",
                           "cnpj_format(cnpj)",
                           "regexp_matches(name, '[0-9]{11}')",
                           "regexp_replace(name, ' +', ' ', 'g')"}) {
    benchmark::RegisterBenchmark(text, [text](benchmark::State& state) { mutirao::frame::Measure(state, text); });
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
