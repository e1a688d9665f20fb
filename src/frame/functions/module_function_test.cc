#include "frame/functions/module_function.h"

#include <limits>
#include <stdexcept>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "columnar/arrow_status.h"
#include "frame/expr/bind.h"
#include "frame/expr/evaluate.h"
#include "frame/functions/value_text.h"
#include "frame/optimizer/optimizer.h"
#include "frame/plan/known_tables_test.h"
#include "frame/plan/plan_json.h"

namespace mutirao::frame {
namespace {

using testing::HasSubstr;

int64_t twice(int64_t value) {
  if (value == 13) throw std::invalid_argument("thirteen is not wanted");
  if (value == 14) throw 14;
  return 2 * value;
}
std::optional<std::string> initials(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::string out;
  for (size_t at = 0; at != std::string_view::npos; at = text.find(' ', at)) {
    if (text[at] == ' ') ++at;
    if (at < text.size()) out += text[at];
  }
  return out;
}
std::string_view head(std::string_view text, int64_t bytes) noexcept {
  return text.substr(0, static_cast<size_t>(bytes));
}
bool is_known(const std::optional<std::string_view>& text) {
  return text.has_value();
}
std::optional<double> half(std::optional<double> value, bool wanted) {
  if (!value) return 0.5;
  return wanted ? std::optional(*value / 2) : std::nullopt;
}
std::optional<bool> both(std::optional<bool> a, std::optional<bool> b) {
  return a && b ? std::optional(*a && *b) : std::nullopt;
}
int64_t answer() {
  return 42;
}
std::string many(int64_t size) {
  return std::string(static_cast<size_t>(size), 'm');
}

MUTIRAO_FUNCTION(twice, "Double a number");
MUTIRAO_FUNCTION(initials, "First letters of the words");
MUTIRAO_FUNCTION(head, "First bytes");
MUTIRAO_FUNCTION(is_known, "Whether there is a text");
MUTIRAO_FUNCTION(half, "Half of a number");
MUTIRAO_FUNCTION(both, "Three-valued and");
MUTIRAO_FUNCTION(answer, "The answer");
MUTIRAO_FUNCTION(many, "A long text");

const FunctionSet& Functions() {
  static const auto* const set = [] {
    auto* functions = new FunctionSet();
    for (const MutiraoFunction* function = MutiraoFunctions(); function != nullptr; function = function->next) {
      auto* def = new FunctionDef(MUTIRAO_MUST(DescribeModuleFunction(*function, "/lib.so", "abc123")));
      (*functions)[def->name] = def;
    }
    return functions;
  }();
  return *set;
}

// Columns n int64, s string, d float64, b bool: seven rows without the first, which is cut off so that arrays begin
// within a byte of their bits.
BatchPtr Rows() {
  arrow::Int64Builder n;
  arrow::StringBuilder s;
  arrow::DoubleBuilder d;
  arrow::BooleanBuilder b;
  EXPECT_TRUE(n.AppendValues({99, 1, 2, 0, 4, 5, 6, 7}, {true, true, true, false, true, true, true, true}).ok());
  EXPECT_TRUE(d.AppendValues({99, 1, 2, 3, 0, 5, 6, 7}, {true, true, true, true, false, true, true, true}).ok());
  EXPECT_TRUE(s.AppendValues({"cut", "ana b c", "", "", "São Paulo", "x", "y", "z"}).ok());
  const std::vector<std::optional<bool>> truths = {true, true, false, std::nullopt, false, true, true, false};
  for (const std::optional<bool>& truth : truths) EXPECT_TRUE((truth ? b.Append(*truth) : b.AppendNull()).ok());
  auto schema = arrow::schema({arrow::field("n", arrow::int64()), arrow::field("s", arrow::utf8()),
                               arrow::field("d", arrow::float64()), arrow::field("b", arrow::boolean())});
  return arrow::RecordBatch::Make(schema, 8,
                                  std::vector<ArrayPtr>{n.Finish().ValueOrDie(), s.Finish().ValueOrDie(),
                                                        d.Finish().ValueOrDie(), b.Finish().ValueOrDie()})
      ->Slice(1);
}

Result<std::string> Compute(const std::string& text) {
  const BatchPtr batch = Rows();
  auto expr = MUTIRAO_TRY(ParseExpr(text));
  auto bound = MUTIRAO_TRY(Bind(expr, *batch->schema(), {.functions = &Functions()}));
  // Binding again, without the functions, keeps them.
  bound = MUTIRAO_TRY(Bind(bound, *batch->schema()));
  auto evaluator = MUTIRAO_TRY(Evaluator::Make(bound, batch->schema()));
  auto values = MUTIRAO_TRY(evaluator->Evaluate(*batch));
  EXPECT_TRUE(values->ValidateFull().ok()) << values->ValidateFull().ToString();
  std::string shown;
  for (int64_t i = 0; i < values->length(); ++i) shown += (i ? "; " : "") + ScalarText(**values->GetScalar(i));
  return shown;
}

std::string Shown(const std::string& text) {
  auto shown = Compute(text);
  return shown.ok() ? *shown : shown.status().ToString();
}

TEST(ModuleFunction, ComputesEveryTypeWithItsNulls) {
  EXPECT_EQ(Shown("twice(n)"), "2; 4; null; 8; 10; 12; 14");
  EXPECT_EQ(Shown("initials(s)"), "abc; null; null; SP; x; y; z");
  EXPECT_EQ(Shown("head(s, 3)"), "ana; ; ; Sã; x; y; z");
  EXPECT_EQ(Shown("head(s, n)"), "a; ; null; São; x; y; z");
  EXPECT_EQ(Shown("is_known(nullif(s, ''))"), "true; false; false; true; true; true; true");
  EXPECT_EQ(Shown("half(d, b)"), "0.5; null; null; 0.5; 2.5; 3.0; null");
  EXPECT_EQ(Shown("both(b, not b)"), "false; false; null; false; false; false; false");
  EXPECT_EQ(Shown("twice(answer())"), "84; 84; 84; 84; 84; 84; 84");
  EXPECT_EQ(Shown("twice(null)"), "null; null; null; null; null; null; null");
  EXPECT_EQ(Shown("half(null, b)"), "0.5; 0.5; null; 0.5; 0.5; 0.5; 0.5");
  EXPECT_EQ(Shown("length(many(n * 100000))"), "100000; 200000; null; 400000; 500000; 600000; 700000");
  EXPECT_EQ(Shown("half(n, true)"), "0.5; 1.0; 0.5; 2.0; 2.5; 3.0; 3.5")
      << "an int64 becomes the float64 that is taken";
}

TEST(ModuleFunction, ChecksArgumentsAndNames) {
  EXPECT_EQ(Shown("twice(s)"), "twice() expects int64 as argument 1, got string; twice(int64) → int64");
  EXPECT_EQ(Shown("twice(n, n)"), "twice() expects 1 argument, got 2; twice(int64) → int64");
  Diagnostics errors;
  auto wrong = Bind(*ParseExpr("1 + twyce(n)"), *Rows()->schema(), {.functions = &Functions()}, &errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors.list()[0].message, "there is no function twyce()");
  EXPECT_EQ(errors.list()[0].help, "did you mean \"twice\"?");
  EXPECT_FALSE(Bind(*ParseExpr("twice(n)"), *Rows()->schema()).ok()) << "only who names the module may call it";
  EXPECT_EQ(Functions().at("half")->signatures[0], "half(float64, bool) → float64");
}

TEST(ModuleFunction, TellsWhichCallFailedInWhichRow) {
  EXPECT_EQ(Shown("twice(n + 11)"), "row 1: twice(n) failed: thirteen is not wanted");
  EXPECT_EQ(Shown("twice(n + 13)"), "row 0: twice(n) failed: an exception that is no std::exception");
  EXPECT_EQ(Shown("case when n <> 2 then twice(n + 11) else 0 end"), "24; 0; 0; 30; 32; 34; 36")
      << "what fails in a row that is not asked for does not count";
  EXPECT_EQ(Shown("head(s, 2)"), "row 3: head(s): it gave bytes that are not valid UTF-8");
  EXPECT_EQ(Shown("case when n = 4 then head(s, 2) else 'a' end"),
            "row 3: head(s): it gave bytes that are not valid UTF-8");
  EXPECT_EQ(Shown("head('São', 2)"), "row 0: head(): it gave bytes that are not valid UTF-8");
}

MutiraoFunction Named(const char* name) {
  MutiraoFunction function = *MutiraoFunctions();
  function.name = name;
  return function;
}

TEST(ModuleFunction, RefusesWhatExpressionsCannotCall) {
  for (const char* name : {"", "Upper", "is_null", "negate", "in", "case", "two words", "a-b", "1a"}) {
    EXPECT_THAT(DescribeModuleFunction(Named(name), "", "").status().ToString(), HasSubstr("no name")) << name;
  }
  EXPECT_THAT(DescribeModuleFunction(Named(nullptr), "", "").status().ToString(), HasSubstr("no name"));
  EXPECT_THAT(DescribeModuleFunction(Named("upper"), "", "").status().ToString(), HasSubstr("built-in function upper"));
  EXPECT_THAT(DescribeModuleFunction(Named("sum"), "", "").status().ToString(), HasSubstr("built-in function sum"));
  MutiraoFunction odd = Named("odd");
  odd.result.type = 9;
  EXPECT_THAT(DescribeModuleFunction(odd, "", "").status().ToString(), HasSubstr("a type not known"));
  const MutiraoParameter unknown = {0, 0};
  odd = Named("odd");
  odd.parameters = &unknown;
  EXPECT_THAT(DescribeModuleFunction(odd, "", "").status().ToString(), HasSubstr("a type not known"));
  odd.parameter_count = -1;
  EXPECT_THAT(DescribeModuleFunction(odd, "", "").status().ToString(), HasSubstr("-1 parameters"));
}

TEST(ModuleFunction, PlansSayWhichModulesTheyCall) {
  const BindOptions options{.functions = &Functions()};
  const auto expr = [](const char* text) { return MUTIRAO_MUST(ParseExpr(text)); };
  PlanPtr plan = PlanOf("companies", "    []");
  plan = MUTIRAO_MUST(MakeQuarantine(plan, expr("not is_known(porte)"), "no size", options));
  plan = MUTIRAO_MUST(MakeFilter(plan, expr("initials(razao_social) = 'AB'"), options));
  plan = MUTIRAO_MUST(MakeDerive(plan, {{"x", expr("twice(3) + natureza")}}, options));
  const Json json = PlanToJson({plan});
  EXPECT_EQ(json["functions"].dump(), R"({"initials":"abc123","is_known":"abc123","twice":"abc123"})");
  const auto read = PlanFromJson(json, KnownFormats(), {}, Functions());
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(PlanToJson(*read).dump(), json.dump());

  const Json optimised = PlanToJson(MUTIRAO_MUST(Optimize({plan})));
  EXPECT_FALSE(optimised["functions"].contains("twice")) << "of constants it is computed beforehand";
  EXPECT_TRUE(PlanFromJson(optimised, KnownFormats(), {}, Functions()).ok());
}

TEST(ModuleFunction, PlansAreReadWithTheVeryModulesOnly) {
  PlanPtr plan = MUTIRAO_MUST(MakeFilter(PlanOf("companies", "    []"), MUTIRAO_MUST(ParseExpr("is_known(porte)")),
                                         {.functions = &Functions()}));
  Json json = PlanToJson({plan});
  const auto missing = PlanFromJson(json, KnownFormats(), {});
  EXPECT_EQ(missing.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(missing.status().ToString(), HasSubstr("calls is_known() of module abc123, which is not here"));
  FunctionDef other = *Functions().at("is_known");
  other.module = "def456";
  EXPECT_EQ(PlanFromJson(json, KnownFormats(), {}, {{"is_known", &other}}).status().code(), StatusCode::kNotFound);
  json["functions"] = Json::array();
  EXPECT_EQ(PlanFromJson(json, KnownFormats(), {}, Functions()).status().code(), StatusCode::kInvalid);
  json["functions"] = {{"is_known", 1}};
  EXPECT_EQ(PlanFromJson(json, KnownFormats(), {}, Functions()).status().code(), StatusCode::kInvalid);
  json.erase("functions");
  EXPECT_THAT(PlanFromJson(json, KnownFormats(), {}, Functions()).status().ToString(),
              HasSubstr("there is no function is_known()"));
}

}  // namespace
}  // namespace mutirao::frame
