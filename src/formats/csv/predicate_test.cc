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

// Conditions on typed columns, of fields that often enough are no values.
class TypedRandom {
 public:
  explicit TypedRandom(uint32_t seed) : random_(seed) {}
  bool OneIn(uint32_t count) { return random_() % count == 0; }
  const std::string& Of(const std::vector<std::string>& choices) { return choices[random_() % choices.size()]; }

  std::string Literal(const std::string& column) {
    if (OneIn(12)) return "null";
    if (column == "a") return Of({"'x'", "'02'", "''"});
    if (column == "d") return Of({"date '2024-01-31'", "date '1999-12-01'", "timestamp '2024-01-31 12:00:00'"});
    if (column == "n") return Of({"7", "-3", "100000", "3000000000", "2.5", "7.0"});
    if (column == "m") return Of({"1.50", "2", "-0.25", "1.505", "0"});
    if (column == "x") return Of({"1.5", "0", "1e300", "cast('nan' as float64)"});
    if (column == "t") return Of({"timestamp '2024-01-31 12:00:00'", "date '2024-01-31'"});
    return Of({"true", "false"});
  }

  std::string Condition(int depth) {
    if (depth > 0 && !OneIn(3)) {
      if (OneIn(4)) return "not (" + Condition(depth - 1) + ")";
      return "(" + Condition(depth - 1) + ")" + (OneIn(2) ? " and " : " or ") + "(" + Condition(depth - 1) + ")";
    }
    const std::string column = Of({"a", "d", "n", "m", "x", "t", "b"});
    if (column == "b" && OneIn(2)) return "b";
    switch (random_() % 5) {
      case 0:
        return column + " in (" + Literal(column) + ", " + Literal(column) + ")";
      case 1:
        return column + (OneIn(2) ? " is null" : " is not null");
      case 2:
        return column + " between " + Literal(column) + " and " + Literal(column);
      default:
        return OneIn(5) ? Literal(column) + " < " + column
                        : column + Of({" = ", " <> ", " < ", " <= ", " > ", " >= "}) + Literal(column);
    }
  }

  std::string Row(bool compact) {
    const std::vector<std::string> fields = {
        Of({"x", "02", "", "y"}),
        compact ? Of({"20240131", "19991201", "20240230", "", "0", " 20240131", "2024013x"})
                : Of({"2024-01-31", "1999-12-01", "2024-02-30", "", "0", "2024-01-31 ", "20240131"}),
        Of({"7", "-3", "+7", "", "100000", "3000000000", "7x", " 7", "007"}),
        Of({"1.5", "1.50", "2", "", "-0.25", "1.505", "12345678.00", "99999999.00", "1,5"}),
        Of({"1.5", "0", "-0", "nan", "1e300", "", "x"}),
        Of({"2024-01-31 12:00:00", "2024-01-31", "", "2024-01-31T12:00:00.5", "12:00"}),
        Of({"true", "f", "YES", "0", "", "maybe"})};
    std::string row;
    for (const std::string& field : fields) {
      const bool quoted = OneIn(2) && !(field.empty() && OneIn(2));
      row += (row.empty() && &field == fields.data() ? "" : ";") + (quoted ? '"' + field + '"' : field);
    }
    return row + "\n";
  }

 private:
  std::mt19937 random_;
};

// The conditions that read text alone, which the scan has always decided, and all columns that the others read too.
TEST(Predicate, SelectsTypedFieldsAsTheEngineSelectsTheirValues) {
  const SchemaPtr schema = arrow::schema(
      {arrow::field("a", arrow::utf8()), arrow::field("d", arrow::date32()), arrow::field("n", arrow::int32()),
       arrow::field("m", arrow::decimal128(9, 2)), arrow::field("x", arrow::float64()),
       arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO)), arrow::field("b", arrow::boolean())});
  TypedRandom random(19991201);
  int pushed_whole = 0, bad_rows = 0;
  for (int round = 0; round < 1500; ++round) {
    const bool compact = random.OneIn(2);
    Json spec = {{"columns", {"a", "d", "n", "m", "x", "t", "b"}}, {"delimiter", ";"}, {"nulls", {""}}};
    Json types = {{"d", "date"},    {"n", "int32"},     {"m", "decimal(9,2)"},
                  {"x", "float64"}, {"t", "timestamp"}, {"b", "bool"}};
    if (compact) types["d"] = {{"type", "date"}, {"format", "%Y%m%d"}};
    spec["types"] = types;
    spec["on_error"] = random.Of({"quarantine", "null"});
    std::string bytes;
    for (int row = 0; row < 30; ++row) bytes += random.Row(compact);
    const std::string text = random.Condition(3);
    auto bound = frame::BindPredicate(MUTIRAO_MUST(frame::ParseExpr(text)), *schema);
    if (!bound.ok()) continue;  // 3000000000 is no int32 in every place
    const frame::ExprPtr predicate = *bound;
    const TestFolder folder;
    spec["csv"] = folder.Write("in.csv", bytes);
    ReadOptions options{.columns = frame::ColumnsOf(*predicate)};
    if (options.columns.empty()) continue;
    std::vector<frame::ExprPtr> of_text;
    for (const frame::ExprPtr& conjunct : frame::SplitConjunction(predicate)) {
      const auto columns = frame::ColumnsOf(*conjunct);
      if (columns.empty() || columns == std::vector<std::string>{"a"}) of_text.push_back(conjunct);
    }
    options.predicate = frame::JoinConjunction(of_text);
    options.predicate_behind = predicate;
    const std::string what = text + "\n" + spec.dump() + "\n" + bytes;
    const ReadOutcome wanted = ReadSpec(spec, options);
    ASSERT_TRUE(wanted.status.ok()) << wanted.status.ToString() << what;
    options.predicate = predicate;
    options.predicate_behind = nullptr;
    for (const SimdLevel level : SupportedSimdLevels()) {
      options.tuning.simd = level;
      options.tuning.quick_path = !random.OneIn(4);
      const ReadOutcome pushed = ReadSpec(spec, options);
      if (!pushed.status.ok()) {
        ASSERT_EQ(pushed.status.code(), StatusCode::kInternal) << what;
        continue;
      }
      ++pushed_whole;
      bad_rows += static_cast<int>(pushed.bad.size());
      ASSERT_EQ(pushed.Lines(), wanted.Lines()) << what;
      ASSERT_EQ(pushed.BadText(), wanted.BadText()) << what;
      ASSERT_EQ(pushed.nulled, wanted.nulled) << what;
      ASSERT_TRUE(pushed.AddsUp()) << what;
    }
  }
  EXPECT_GT(pushed_whole, 2000);
  EXPECT_GT(bad_rows, 1000);
}

// Values of columns that are not delivered decide, and are counted, too.
TEST(Predicate, ReadsTypedColumnsThatAreNotDelivered) {
  const SchemaPtr schema = arrow::schema({arrow::field("a", arrow::utf8()), arrow::field("d", arrow::date32())});
  const auto after = MUTIRAO_MUST(
      frame::BindPredicate(MUTIRAO_MUST(frame::ParseExpr("d >= date '2024-01-01' or d is null")), *schema));
  Json spec = {{"columns", {"a", "d"}}, {"types", {{"d", "date"}}}, {"on_error", "quarantine"}};
  const std::string bytes = "1,2024-01-31\n2,2023-01-31\n3,2024-13-01\n4,\n";
  const ReadOutcome aside = ReadText(bytes, spec, {.columns = {"a"}, .predicate = after});
  EXPECT_EQ(aside.Lines(), (std::vector<std::string>{"1", "4"}));
  EXPECT_EQ(aside.BadText(), "3@26:d:\"2024-13-01\" is no date:3,2024-13-01\n");
  EXPECT_TRUE(aside.AddsUp());
  spec["on_error"] = "null";
  const ReadOutcome nulled = ReadText(bytes, spec, {.columns = {"a"}, .predicate = after});
  EXPECT_EQ(nulled.Lines(), (std::vector<std::string>{"1", "3", "4"}));
  EXPECT_EQ(nulled.nulled, 1);
  spec["on_error"] = "fail";
  const ReadOutcome failed = ReadText(bytes, spec, {.columns = {"a"}, .predicate = after});
  EXPECT_EQ(failed.status.code(), StatusCode::kInvalid);
}

}  // namespace
}  // namespace mutirao::formats::csv
