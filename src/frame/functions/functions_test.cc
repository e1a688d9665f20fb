#include <filesystem>
#include <fstream>
#include <set>

#include <arrow/api.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "columnar/arrow_status.h"
#include "frame/expr/bind.h"
#include "frame/expr/evaluate.h"
#include "frame/expr/function.h"
#include "frame/functions/today.h"
#include "frame/functions/value_text.h"
#include "frame/optimizer/expr_facts.h"

namespace mutirao::frame {
namespace {

// Text tests, tests/frames/functions/*.test. A line is `expression => value`, `expression :: type => value` or
// `expression => error: part of the message`; # begins a comment. Behind `table name type; …` stand rows of values,
// then `end`; expressions that follow are computed over the table, and have a value a row, parted by `;`.
// Values are expressions themselves. In a document only the ```expr blocks are read.

std::vector<std::string> Split(const std::string& text, const std::string& by) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t at = text.find(by); at != std::string::npos; at = text.find(by, begin)) {
    parts.push_back(text.substr(begin, at - begin));
    begin = at + by.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string Trim(const std::string& text) {
  size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

Result<ArrayPtr> Compute(const std::string& text, const BatchPtr& batch) {
  auto expr = MUTIRAO_TRY(ParseExpr(text));
  auto bound = MUTIRAO_TRY(Bind(expr, *batch->schema()));
  // The canonical text of a bound expression means the same.
  auto again = MUTIRAO_TRY(ParseExpr(bound->ToString()));
  auto rebound = MUTIRAO_TRY(Bind(again, *batch->schema()));
  EXPECT_TRUE(rebound->Equals(*bound)) << text << " is printed as " << bound->ToString() << " and bound again to "
                                       << rebound->ToString();
  auto evaluator = MUTIRAO_TRY(Evaluator::Make(bound, batch->schema()));
  auto evaluated = evaluator->Evaluate(*batch);
  // What the optimizer takes for total is total.
  EXPECT_TRUE(evaluated.ok() || CanFail(*bound)) << text;
  auto values = MUTIRAO_TRY(std::move(evaluated));
  EXPECT_TRUE(values->ValidateFull().ok()) << text << ": " << values->ValidateFull().ToString();
  EXPECT_TRUE(values->type()->Equals(*evaluator->type())) << text;
  EXPECT_EQ(values->length(), batch->num_rows()) << text;
  return values;
}

BatchPtr OneRow() {
  return arrow::RecordBatch::Make(arrow::schema({}), 1, std::vector<ArrayPtr>{});
}

std::string Show(const arrow::Array& values) {
  std::string text;
  for (int64_t i = 0; i < values.length(); ++i) text += (i ? "; " : "") + ScalarText(**values.GetScalar(i));
  return text;
}

class TextFile {
 public:
  explicit TextFile(const std::filesystem::path& path)
      : name_(path.filename()), in_(path), reading_(path.extension() != ".md") {}

  void Run() {
    std::string line;
    while (NextLine(&line)) {
      if (line.starts_with("table ")) {
        ReadTable(line.substr(6));
      } else {
        Check(line);
      }
    }
    EXPECT_GT(checked_, 0) << name_;
  }

 private:
  bool NextLine(std::string* line) {
    while (std::getline(in_, *line)) {
      ++number_;
      *line = Trim(*line);
      if (line->starts_with("```")) {
        reading_ = *line == "```expr";
        continue;
      }
      if (reading_ && !line->empty() && line->front() != '#') return true;
    }
    return false;
  }

  void ReadTable(const std::string& header) {
    arrow::FieldVector fields;
    std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
    for (const std::string& column : Split(header, ";")) {
      std::string text = Trim(column);
      size_t blank = text.find(' ');
      TypePtr type = MUTIRAO_MUST(ParseType(text.substr(blank + 1)));
      fields.push_back(arrow::field(text.substr(0, blank), type));
      builders.push_back(MUTIRAO_MUST(arrow::MakeBuilder(type)));
    }
    int64_t rows = 0;
    for (std::string line; NextLine(&line) && line != "end"; ++rows) {
      auto cells = Split(line, ";");
      ASSERT_EQ(cells.size(), fields.size()) << name_ << ":" << number_;
      for (size_t i = 0; i < cells.size(); ++i) {
        auto value = MUTIRAO_MUST(
            Compute(fmt::format("cast({} as {})", Trim(cells[i]), TypeName(*fields[i]->type())), OneRow()));
        MUTIRAO_MUST(builders[i]->AppendArraySlice(*value->data(), 0, 1));
      }
    }
    std::vector<ArrayPtr> columns;
    for (auto& builder : builders) columns.push_back(MUTIRAO_MUST(builder->Finish()));
    table_ = arrow::RecordBatch::Make(arrow::schema(fields), rows, columns);
  }

  void Check(const std::string& line) {
    std::string place = fmt::format("{}:{}: {}", name_, number_, line);
    size_t arrow = line.rfind(" => ");
    ASSERT_NE(arrow, std::string::npos) << place;
    std::string expression = Trim(line.substr(0, arrow)), expected = Trim(line.substr(arrow + 4)), type;
    if (size_t colons = expression.rfind(" :: "); colons != std::string::npos) {
      type = Trim(expression.substr(colons + 4));
      expression = Trim(expression.substr(0, colons));
    }
    ++checked_;
    auto values = Compute(expression, table_);
    if (expected.starts_with("error: ")) {
      ASSERT_FALSE(values.ok()) << place << "\n  gives " << Show(**values);
      EXPECT_NE(values.status().ToString().find(expected.substr(7)), std::string::npos)
          << place << "\n  fails with " << values.status().ToString();
      return;
    }
    ASSERT_TRUE(values.ok()) << place << "\n  fails with " << values.status().ToString();
    if (!type.empty()) {
      EXPECT_EQ(TypeName(*(*values)->type()), type) << place;
    }
    std::vector<std::string> wanted;
    for (const std::string& cell : Split(expected, ";")) {
      auto value = Compute(Trim(cell), OneRow());
      ASSERT_TRUE(value.ok()) << place << "\n  " << value.status().ToString();
      wanted.push_back(Show(**value));
    }
    EXPECT_EQ(Show(**values), fmt::format("{}", fmt::join(wanted, "; "))) << place;
  }

  std::string name_;
  std::ifstream in_;
  bool reading_;
  int number_ = 0;
  int checked_ = 0;
  BatchPtr table_ = OneRow();
};

TEST(Functions, GiveWhatTheTextTestsSay) {
  int files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(MUTIRAO_SOURCE_DIR) / "tests/frames/functions")) {
    if (entry.path().extension() != ".test") continue;
    ++files;
    TextFile(entry.path()).Run();
  }
  EXPECT_GE(files, 5);
}

TEST(Functions, GiveWhatTheGuideSays) {
  TextFile(std::filesystem::path(MUTIRAO_SOURCE_DIR) / "docs/guide/expressions.md").Run();
}

TEST(Functions, TodayIsTheUtcDateInEveryRow) {
  auto batch = arrow::RecordBatch::Make(arrow::schema({}), 3, std::vector<ArrayPtr>{});
  const int32_t before = Today();
  std::string days = Show(*MUTIRAO_MUST(Compute("today() - date '1970-01-01'", batch)));
  const int32_t day = std::stoi(days);
  EXPECT_TRUE(before <= day && day <= Today()) << days;
  EXPECT_EQ(days, fmt::format("{0}; {0}; {0}", day));
}

TEST(Functions, KeepWhatTheirExamplesPromise) {
  for (const FunctionDef* function : AllFunctions()) {
    EXPECT_FALSE(function->summary.empty()) << function->name;
    EXPECT_FALSE(function->signatures.empty()) << function->name;
    bool needs_example = function->kind == FunctionKind::kScalar && function->deterministic;
    EXPECT_EQ(function->examples.empty(), !needs_example) << function->name;
    for (const auto& [expression, value] : function->examples) {
      auto got = Compute(expression, OneRow());
      auto wanted = Compute(value, OneRow());
      ASSERT_TRUE(got.ok()) << expression << ": " << got.status().ToString();
      ASSERT_TRUE(wanted.ok()) << value << ": " << wanted.status().ToString();
      EXPECT_EQ(Show(**got), Show(**wanted)) << expression;
    }
  }
}

TEST(Functions, AreAllThatTheInterfacePromises) {
  // clang-format off
  const std::set<std::string> promised = {
      "coalesce", "nullif", "if", "greatest", "least", "trim", "ltrim", "rtrim", "upper", "lower", "length", "substr",
      "replace", "concat", "split_part", "lpad", "rpad", "starts_with", "ends_with", "contains", "regexp_matches",
      "regexp_replace", "regexp_extract", "unaccent", "digits_only", "parse_date", "try_parse_date",
      "parse_timestamp", "format_date", "year", "month", "day", "date_trunc", "date_diff", "today", "abs", "round",
      "floor", "ceil", "hash", "cnpj_valid", "cnpj_format", "cpf_valid", "count", "count_distinct", "sum", "avg",
      "min", "max", "any_value", "first", "last", "stddev", "median", "approx_count_distinct", "list",
      "try_parse_timestamp", "week", "day_of_week", "hour", "minute", "second", "split", "list_contains"};
  // clang-format on
  for (const std::string& name : promised) EXPECT_NE(FindFunction(name), nullptr) << name;
  EXPECT_EQ(FindFunction("no_such"), nullptr);
}

// Kernels must read slices, whose offsets are not zero, and batches of one row as any other.
TEST(Functions, GiveTheSameForSlices) {
  arrow::StringBuilder texts;
  arrow::Int64Builder numbers;
  for (int i = 0; i < 200; ++i) {
    MUTIRAO_MUST(i % 7 == 0 ? texts.AppendNull() : texts.Append(fmt::format(" {}ã{} ", i, i % 3)));
    MUTIRAO_MUST(i % 5 == 0 ? numbers.AppendNull() : numbers.Append(i - 100));
  }
  auto schema = arrow::schema({arrow::field("s", arrow::utf8()), arrow::field("n", arrow::int64())});
  auto batch = arrow::RecordBatch::Make(schema, 200, {MUTIRAO_MUST(texts.Finish()), MUTIRAO_MUST(numbers.Finish())});
  for (const char* text : {"trim(s)",
                           "upper(s)",
                           "replace(s, '1', '2')",
                           "replace(s, '1', 'xx')",
                           "nullif(s, ' 1ã1 ')",
                           "coalesce(s, 'none')",
                           "n + 1",
                           "n / 3",
                           "n > 0 and s like '%1%'",
                           "n in (1, 2, null)",
                           "s in (' 1ã1 ', 'x')",
                           "s is null",
                           "case when n > 50 then s when n < 0 then 'low' end",
                           "if(n > 0, n, 0)",
                           "substr(s, -3)",
                           "split(s, 'ã')",
                           "list_contains(split(s, 'ã'), ' 8')",
                           "hash(s, n)",
                           "greatest(n, 5)",
                           "n between -5 and 5",
                           "try_cast(trim(s) as int64)",
                           "cast(n as decimal(10,2)) * 1.5",
                           "concat(s, n)",
                           "s || n",
                           "digits_only(s)",
                           "unaccent(s)",
                           "length(s)",
                           "regexp_matches(s, '[13]ã')",
                           "regexp_replace(s, '([0-9])ã', '\\1 ', 'g')",
                           "regexp_extract(s, '[0-9]+')",
                           "cast(n > 3 as string)",
                           "case when n <> 0 then 100 % n else length(s) end"}) {
    auto whole = Compute(text, batch);
    ASSERT_TRUE(whole.ok()) << text << ": " << whole.status().ToString();
    for (auto [offset, length] : {std::pair<int64_t, int64_t>{13, 101}, {64, 64}, {199, 1}, {7, 1}, {50, 0}}) {
      auto part = Compute(text, batch->Slice(offset, length));
      ASSERT_TRUE(part.ok()) << text << ": " << part.status().ToString();
      EXPECT_TRUE((*part)->Equals(*(*whole)->Slice(offset, length))) << text << " at " << offset;
    }
  }
}

}  // namespace
}  // namespace mutirao::frame
