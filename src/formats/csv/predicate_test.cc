#include "formats/csv/predicate.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "columnar/arrow_status.h"
#include "formats/csv/csv_test_support.h"
#include "frame/expr/bind.h"
#include "frame/expr/evaluate.h"

namespace mutirao::formats::csv {
namespace {

SchemaPtr TwoTexts() {
  return arrow::schema({arrow::field("a", arrow::utf8()), arrow::field("b", arrow::utf8())});
}

frame::ExprPtr Bound(const std::string& text) {
  return MUTIRAO_MUST(frame::BindPredicate(MUTIRAO_MUST(frame::ParseExpr(text)), *TwoTexts()));
}

// Filters rows that were built, by the engine's own evaluation.
std::vector<std::string> Filtered(const ReadOutcome& all, const frame::ExprPtr& predicate) {
  arrow::StringBuilder columns[2];
  for (const auto& row : all.rows) {
    for (size_t i = 0; i < 2; ++i) MUTIRAO_MUST(row[i] == "∅" ? columns[i].AppendNull() : columns[i].Append(row[i]));
  }
  auto batch = arrow::RecordBatch::Make(TwoTexts(), static_cast<int64_t>(all.rows.size()),
                                        {MUTIRAO_MUST(columns[0].Finish()), MUTIRAO_MUST(columns[1].Finish())});
  auto evaluator = MUTIRAO_MUST(frame::Evaluator::Make(predicate, batch->schema()));
  auto keep = MUTIRAO_MUST(evaluator->Evaluate(*batch));
  std::vector<std::string> lines;
  for (size_t row = 0; row < all.rows.size(); ++row) {
    auto value = MUTIRAO_MUST(keep->GetScalar(static_cast<int64_t>(row)));
    if (value->is_valid && static_cast<const arrow::BooleanScalar&>(*value).value)
      lines.push_back(fmt::format("{}", fmt::join(all.rows[row], "|")));
  }
  return lines;
}

class Random {
 public:
  explicit Random(uint32_t seed) : random_(seed) {}
  bool OneIn(uint32_t count) { return random_() % count == 0; }
  const std::string& Of(const std::vector<std::string>& choices) { return choices[random_() % choices.size()]; }

  std::string Literal() {
    return Of({"'02'", "'2'", "''", "'NA'", "'20240131'", "'2024-01-31'", "'São'", "'a longer text than eight'",
               "'x\"y'", "null", "'0'", "'\\'"});
  }

  std::string Condition(int depth) {
    if (depth > 0 && !OneIn(3)) {
      if (OneIn(4)) return "not (" + Condition(depth - 1) + ")";
      return "(" + Condition(depth - 1) + ")" + (OneIn(2) ? " and " : " or ") + "(" + Condition(depth - 1) + ")";
    }
    const std::string column = OneIn(2) ? "a" : "b";
    switch (random_() % 6) {
      case 0:
        return column + " in (" + Literal() + ", " + Literal() + ", " + Literal() + ")";
      case 1:
        return column + (OneIn(2) ? " is null" : " is not null");
      case 2:
        return column + " like " + Of({"'0%'", "'São%'", "'%'", "'2024-01%'"});
      case 3:
        return column + " between " + Literal() + " and " + Literal();
      case 4:
        return "starts_with(" + column + ", " + Of({"'0'", "''", "'a longer'"}) + ")";
      default:
        return OneIn(5) ? Literal() + " < " + column
                        : column + Of({" = ", " <> ", " < ", " <= ", " > ", " >= ", " = "}) + Literal();
    }
  }

  std::string Field(const Json& spec) {
    const bool latin = spec["encoding"] != "utf-8";
    const std::string bare = Of({"02", "2", "", "NA", "20240131", "2024-01-31", latin ? "S\xE3o" : "São", "0",
                                 "a longer text than eight", std::string("0\0", 2) + "2", "x\"\"y", "02 "});
    const std::string quote = spec["quote"].get<std::string>();
    if (quote.empty() || OneIn(3)) return bare == "x\"\"y" ? "02" : bare;
    if (spec.contains("escape") && OneIn(4)) return quote + "\\02" + quote;
    if (quote == "'" && bare == "x\"\"y") return "'x''y'";
    if (OneIn(12)) return quote + "0" + quote + "2";
    return quote + bare + quote;
  }

 private:
  std::mt19937 random_;
};

Json RandomSpec(Random& random) {
  Json spec = {{"columns", {"a", "b"}}};
  spec["encoding"] = random.Of({"utf-8", "latin-1", "windows-1252", "latin-9"});
  spec["quote"] = random.Of({"\"", "\"", "\"", "'", ""});
  spec["quotes"] = random.Of({"standard", "strict", "lenient"});
  spec["nul"] = random.Of({"drop", "keep", "error"});
  spec["on_error"] = random.Of({"quarantine", "null"});
  if (random.OneIn(5)) spec["escape"] = "\\";
  if (random.OneIn(2)) spec["nulls"] = random.OneIn(2) ? Json{""} : Json{"NA", ""};
  return spec;
}

TEST(Predicate, SelectsOnBytesWhatItSelectsOnColumns) {
  Random random(20240131);
  int refused = 0;
  for (int round = 0; round < 1500; ++round) {
    const Json spec = RandomSpec(random);
    std::string bytes;
    for (int row = 0; row < 30; ++row) {
      bytes += random.Field(spec) + "," + random.Field(spec) + (random.OneIn(20) ? ",x" : "") +
               (random.OneIn(5) ? "\r\n" : "\n");
    }
    const std::string text = random.Condition(3);
    const frame::ExprPtr predicate = Bound(text);
    const TestFolder folder;
    Json with_file = spec;
    with_file["csv"] = folder.Write("in.csv", bytes);
    const ReadOutcome all = ReadSpec(with_file);
    ASSERT_TRUE(all.status.ok()) << all.status.ToString();
    const std::vector<std::string> wanted = Filtered(all, predicate);
    for (const SimdLevel level : SupportedSimdLevels()) {
      ReadOptions options{.columns = {"a", "b"}, .predicate = predicate};
      options.tuning.simd = level;
      const ReadOutcome pushed = ReadSpec(with_file, options);
      const std::string what = text + "\n" + spec.dump() + "\n" + bytes;
      if (!pushed.status.ok()) {
        // A condition may have become one that the scan leaves to the engine.
        ASSERT_EQ(pushed.status.code(), StatusCode::kInternal) << what;
        ++refused;
        continue;
      }
      ASSERT_EQ(pushed.Lines(), wanted) << what;
      ASSERT_EQ(pushed.BadText(), all.BadText()) << what;
      ASSERT_EQ(pushed.filtered, all.delivered - pushed.delivered) << what;
      ASSERT_TRUE(pushed.AddsUp()) << what;
    }
  }
  EXPECT_LT(refused, 100);
}

// One case each that the quick comparison of bytes must not get wrong.
TEST(Predicate, ComparesValuesAndNotBytes) {
  struct Case {
    const char* bytes;
    const char* spec;
    const char* predicate;
    std::vector<std::string> rows;
  };
  const Case cases[] = {
      {"02,1\n\"02\",2\n\"02 \",3\n2,4\n", "{}", "a = '02'", {"02|1", "02|2"}},
      {"\"0\"2,1\n", R"({"quotes": "lenient"})", "a = '02'", {"02|1"}},
      {"\\02,1\n", R"({"escape": "\\"})", "a = '02'", {"02|1"}},
      {"NA,1\n", R"({"nulls": ["NA"]})", "a = 'NA'", {}},
      {"NA,1\nx,2\n", R"({"nulls": ["NA"]})", "a <> 'x'", {}},
      {"\"a\"\"b\",1\n", "{}", "a = 'a\"b'", {"a\"b|1"}},
      {"\xE3,1\n", R"({"encoding": "latin-1"})", "a = 'ã'", {"ã|1"}},
      {",1\n\"\",2\n", "{}", "a = ''", {"|2"}},
      {",1\n\"\",2\n", R"({"nulls": [""]})", "a is null", {"∅|1", "∅|2"}},
      {"x,1\n,2\n", "{}", "a in ('x', null)", {"x|1"}},
      {"x,1\n,2\ny,3\n", "{}", "not (a in ('x', null))", {}},
      {"x,1\n,2\ny,3\n", "{}", "not (a = 'x') or b = '2'", {"∅|2", "y|3"}},
  };
  for (const Case& c : cases) {
    Json spec = Json::parse(c.spec);
    spec["columns"] = {"a", "b"};
    const ReadOutcome outcome = ReadText(c.bytes, spec, {.predicate = Bound(c.predicate)});
    ASSERT_TRUE(outcome.status.ok()) << c.predicate << ": " << outcome.status.ToString();
    EXPECT_EQ(outcome.Lines(), c.rows) << c.predicate << " of " << c.bytes;
  }
}

}  // namespace
}  // namespace mutirao::formats::csv
