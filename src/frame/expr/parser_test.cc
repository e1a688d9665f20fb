#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "columnar/arrow_status.h"
#include "frame/expr/bind.h"
#include "frame/expr/evaluate.h"
#include "frame/expr/expr.h"
#include "frame/expr/literal.h"

namespace mutirao::frame {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ExprPrinter, NestsNoDeeperThanWhatWasParsed) {
  std::string text = "x";
  for (int i = 0; i < 300; ++i) text = "- " + text;
  const auto expr = ParseExpr(text);
  ASSERT_TRUE(expr.ok()) << expr.status().ToString();
  const auto again = ParseExpr((*expr)->ToString());
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_TRUE((*again)->Equals(**expr));
}

TEST(ExprPrinter, WritesTheCanonicalForm) {
  const std::pair<const char*, const char*> cases[] = {
      {"A=1 AND not(b or C)", "A = 1 and not (b or C)"},
      {"(a+b)*c - (d - e)", "(a + b) * c - (d - e)"},
      {"a != 'it''s'", "a <> 'it''s'"},
      {"\"plain\" + \"two words\" + \"se\"\"x\"", "plain + \"two words\" + \"se\"\"x\""},
      {"x IS NOT NULL or not y is null", "x is not null or y is not null"},
      {"not x in ${uf}", "x not in ${uf}"},
      {"case x when 1 then 'a' end", "case when x = 1 then 'a' end"},
      {"COUNT(*)", "count()"},
      {"- 5", "-5"},
      {"-(5)", "-(5)"},
      {"- -x", "- -x"},
      {"(a = b) is null", "a = b is null"},
      {"(a = b) = c", "(a = b) = c"},
      {"a || (b || c)", "a || (b || c)"},
      {"1e3 + 1.50 + .5", "1000e0 + 1.50 + 0.5"},
      {"$line > 3 and \"date\" < date '2026-01-31'", "$line > 3 and date < date '2026-01-31'"},
      {"cast(null as list<string>)", "cast(null as list<string>)"},
      {"list<string> []", "list<string> []"},
      {"endereço like 'R%'", "endereço like 'R%'"},
      {"a between b + 1 and c and d", "a between b + 1 and c and d"},
  };
  for (const auto& [text, canonical] : cases) {
    auto expr = ParseExpr(text);
    ASSERT_TRUE(expr.ok()) << text << ": " << expr.status().ToString();
    EXPECT_EQ((*expr)->ToString(), canonical);
    auto again = ParseExpr((*expr)->ToString());
    ASSERT_TRUE(again.ok()) << canonical;
    EXPECT_TRUE((*again)->Equals(**expr)) << text;
  }
}

TEST(ExprParser, SaysWhatWasExpectedAndWhere) {
  struct Case {
    const char* text;
    const char* message;
    TextSpan span;
  };
  const Case cases[] = {
      {"", "expected a value, but the expression ends", {0, 0}},
      {"a = ", "expected a value, but the expression ends", {4, 4}},
      {"(a + 1", "expected \")\", but the expression ends", {6, 6}},
      {"f(a b)", "expected \",\" or \")\", found `b`", {4, 5}},
      {"a = 'x", "the text is not closed", {4, 6}},
      {"a ? b", "\"?\" has no meaning here", {2, 3}},
      {"12abc", "\"12abc\" is not a number", {0, 5}},
      {"a not 5", "expected \"in\", \"like\" or \"between\"", {6, 7}},
      {"cast(a as strng)", "\"strng\" is not a type", {10, 15}},
      {"date '2026-02-30'", "'2026-02-30' is not a date", {0, 17}},
      {"a = b = c", "found `=`", {6, 7}},
      {"case a end", "expected \"when\"", {7, 10}},
      {"a adn b", "expected an operator or the end", {2, 5}},
      {"${a b}", "is not the name of a parameter", {0, 6}},
      {"\xff", "not valid UTF-8", {0, 0}},
      {"[1, 'a']", "the items of a list must be of one type", {4, 7}},
  };
  for (const Case& c : cases) {
    Diagnostic error;
    auto expr = ParseExpr(c.text, &error);
    ASSERT_FALSE(expr.ok()) << c.text;
    EXPECT_EQ(expr.status().code(), StatusCode::kInvalid);
    EXPECT_THAT(error.message, HasSubstr(c.message)) << c.text;
    EXPECT_EQ(error.span.begin, c.span.begin) << c.text;
    EXPECT_EQ(error.span.end, c.span.end) << c.text;
  }
  Diagnostic error;
  EXPECT_FALSE(ParseExpr("a adn b", &error).ok());
  EXPECT_EQ(error.help, "did you mean \"and\"?");
}

TEST(ExprParser, RefusesHostileText) {
  std::string deep(100'000, '(');
  EXPECT_THAT(ParseExpr(deep + "1").status().ToString(), HasSubstr("nested deeper"));
  std::string minus;
  for (int i = 0; i < 50'000; ++i) minus += "- ";
  EXPECT_FALSE(ParseExpr(minus + "x").ok());
  std::string chain = "a";
  for (int i = 0; i < 50'000; ++i) chain += " + a";
  EXPECT_FALSE(ParseExpr(chain).ok());
  std::string many = "a in (0";
  for (int i = 0; i < 200'000; ++i) many += ",1";
  EXPECT_THAT(ParseExpr(many + ")").status().ToString(), HasSubstr("parts"));
  EXPECT_FALSE(ParseExpr(std::string(5 << 20, ' ')).ok());
  std::string fits = "a";
  for (int i = 0; i < 1'000; ++i) fits += " and a";
  auto bound = Bind(*ParseExpr(fits), *arrow::schema({arrow::field("a", arrow::boolean())}));
  EXPECT_TRUE(bound.ok());
}

ExprPtr AnyLiteral() {
  switch (*rc::gen::inRange(0, 9)) {
    case 0:
      return Expr::Literal(std::make_shared<arrow::Int64Scalar>(*rc::gen::arbitrary<int64_t>()));
    case 1:
      return Expr::Literal(std::make_shared<arrow::StringScalar>(
          *rc::gen::container<std::string>(rc::gen::element('a', '\'', '"', '%', ' ', '\\', '\n', '$', '{'))));
    case 2:
      return Expr::Literal(std::make_shared<arrow::BooleanScalar>(*rc::gen::arbitrary<bool>()));
    case 3:
      return Expr::Literal(std::make_shared<arrow::NullScalar>());
    case 4:
      return Expr::Literal(std::make_shared<arrow::DoubleScalar>(*rc::gen::arbitrary<double>()));
    case 5:
      return Expr::Literal(std::make_shared<arrow::Date32Scalar>(*rc::gen::inRange(-900'000, 5'000'000)));
    case 6:
      return Expr::Literal(std::make_shared<arrow::Decimal128Scalar>(
          arrow::Decimal128(*rc::gen::inRange<int64_t>(-999'999'999, 999'999'999)),
          arrow::decimal128(*rc::gen::inRange(9, 38), *rc::gen::inRange(0, 9))));
    case 7:
      return Expr::Literal(std::make_shared<arrow::TimestampScalar>(
          *rc::gen::inRange<int64_t>(-100'000'000'000'000, 4'000'000'000'000'000),
          arrow::timestamp(arrow::TimeUnit::MICRO, *rc::gen::element<std::string>("", "UTC", "America/Sao_Paulo"))));
    default:
      return Expr::Literal(arrow::MakeNullScalar(arrow::list(arrow::int8())));
  }
}

ExprPtr AnyExpr(int depth) {
  if (depth == 0 || *rc::gen::inRange(0, 4) == 0) {
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        return Expr::Column(
            *rc::gen::element<std::string>("a", "uf", "two words", "q\"uote", "case", "date", "list", "$line", "ação"));
      case 1:
        return Expr::Parameter(*rc::gen::element<std::string>("uf", "run.id"));
      default:
        return AnyLiteral();
    }
  }
  auto sub = [&] { return AnyExpr(depth - 1); };
  static const std::vector<std::string> kBinary = {
      "and", "or", "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", "like"};
  switch (*rc::gen::inRange(0, 8)) {
    case 0:
      return Expr::Call("not", {sub()});
    case 1:
      return Expr::Call("negate", {sub()});
    case 2:
      return Expr::Call("is_null", {sub()});
    case 3: {
      std::vector<ExprPtr> args{sub()};
      for (int i = *rc::gen::inRange(0, 3); i > 0; --i) args.push_back(sub());
      return Expr::Call(*rc::gen::element<std::string>("in", "concat", "coalesce"), args);
    }
    case 4:
      return Expr::Call("between", {sub(), sub(), sub()});
    case 5: {
      // A cast of a bare null is read as the null of that type, so it is not made here.
      ExprPtr arg = Expr::Call("f", {sub()});
      return Expr::Cast(
          arg,
          *rc::gen::element<TypePtr>(TypePtr(arrow::utf8()), arrow::decimal128(18, 2), arrow::list(arrow::date32()),
                                     arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
          *rc::gen::arbitrary<bool>());
    }
    case 6: {
      std::vector<ExprPtr> args{sub(), sub()};
      if (*rc::gen::arbitrary<bool>()) args.push_back(sub());
      return Expr::Case(args);
    }
    default:
      return Expr::Call(*rc::gen::elementOf(kBinary), {sub(), sub()});
  }
}

RC_GTEST_PROP(ExprPrinter, ReadsBackWhatItWrote, ()) {
  ExprPtr expr = AnyExpr(*rc::gen::inRange(0, 5));
  std::string text = expr->ToString();
  auto again = ParseExpr(text);
  RC_LOG() << text;
  RC_ASSERT(again.ok());
  RC_ASSERT((*again)->Equals(*expr));
  RC_ASSERT((*again)->ToString() == text);
}

SchemaPtr Columns() {
  return arrow::schema({arrow::field("uf", arrow::utf8()), arrow::field("n", arrow::int32()),
                        arrow::field("d", arrow::date32()), arrow::field("tags", arrow::list(arrow::utf8()))});
}

TEST(Binder, TellsEveryFaultWithItsPlace) {
  Diagnostics errors;
  std::string text = "nn + 1 > uf and lenght(uf) = ${x} and tags = tags";
  auto bound = Bind(*ParseExpr(text), *Columns(), {.input_name = "cnpj/empresas"}, &errors);
  ASSERT_FALSE(bound.ok());
  ASSERT_EQ(errors.size(), 4u);
  EXPECT_EQ(errors.list()[0].message, "column \"nn\" is not in cnpj/empresas");
  EXPECT_EQ(errors.list()[0].help, "did you mean \"n\"?");
  EXPECT_EQ(errors.list()[0].span, (TextSpan{0, 2}));
  EXPECT_EQ(errors.list()[1].message, "there is no function lenght()");
  EXPECT_EQ(errors.list()[1].help, "did you mean \"length\"?");
  EXPECT_EQ(errors.list()[2].message, "parameter \"x\" is not declared");
  EXPECT_EQ(errors.list()[3].message, "lists cannot be compared");
}

TEST(Binder, ReplacesParametersByTypedValues) {
  arrow::StringBuilder builder;
  ASSERT_TRUE(builder.Append("SP").ok());
  Parameters parameters{{"uf", std::make_shared<arrow::ListScalar>(*builder.Finish())},
                        {"none", std::make_shared<arrow::ListScalar>(*builder.Finish())}};
  auto bound =
      Bind(*ParseExpr("length(${none}) = 0 or uf in ${uf} or uf in ${none}"), *Columns(), {.parameters = &parameters});
  ASSERT_TRUE(bound.ok()) << bound.status().ToString();
  EXPECT_EQ((*bound)->ToString(), "length(list<string> []) = 0 or uf in ('SP') or uf in ()");
  auto evaluated = EvaluateConstant(
      *Bind(*ParseExpr("length(${none}) = 0 and 'RJ' not in ${uf}"), *Columns(), {.parameters = &parameters}));
  ASSERT_TRUE(evaluated.ok());
  EXPECT_TRUE(static_cast<const arrow::BooleanScalar&>(**evaluated).value);
}

TEST(Binder, MakesConversionsExplicitAndIsStable) {
  for (const char* text : {"n > 5", "n > 3000000000", "n + 1.5", "d > '2026-01-31'", "coalesce(null, n)", "uf || n",
                           "n in (1, 2.5)", "case when n > 1 then 1 else 2.5 end", "'a' in tags", "null"}) {
    auto bound = Bind(*ParseExpr(text), *Columns());
    ASSERT_TRUE(bound.ok()) << text << bound.status().ToString();
    auto again = Bind(*bound, *Columns());
    ASSERT_TRUE(again.ok()) << text;
    EXPECT_TRUE((*again)->Equals(**bound)) << text;
    auto read = Bind(*ParseExpr((*bound)->ToString()), *Columns());
    ASSERT_TRUE(read.ok()) << (*bound)->ToString();
    EXPECT_TRUE((*read)->Equals(**bound)) << (*bound)->ToString();
  }
  EXPECT_EQ((*Bind(*ParseExpr("n > 5"), *Columns()))->ToString(), "n > int32 '5'");
  EXPECT_EQ((*Bind(*ParseExpr("d > '2026-01-31'"), *Columns()))->ToString(), "d > date '2026-01-31'");
}

TEST(Binder, WantsConditionsWhereTheyBelong) {
  EXPECT_THAT(BindPredicate(*ParseExpr("n"), *Columns()).status().ToString(),
              HasSubstr("a filter expects a condition (bool), got int32"));
  EXPECT_THAT(Bind(*ParseExpr("sum(n)"), *Columns()).status().ToString(),
              HasSubstr("can only stand in an aggregate step"));
  EXPECT_TRUE(Bind(*ParseExpr("sum(n) / count()"), *Columns(), {.allow_aggregates = true}).ok());
  EXPECT_THAT(Bind(*ParseExpr("sum(count())"), *Columns(), {.allow_aggregates = true}).status().ToString(),
              HasSubstr("inside another aggregate"));
}

TEST(Expr, FindsColumnsAndConjuncts) {
  auto expr = *ParseExpr("b = 1 and (a > b or c is null) and true");
  EXPECT_THAT(ColumnsOf(*expr), ElementsAre("b", "a", "c"));
  auto conjuncts = SplitConjunction(expr);
  ASSERT_EQ(conjuncts.size(), 3u);
  EXPECT_TRUE(JoinConjunction(conjuncts)->Equals(*expr));
  EXPECT_EQ(JoinConjunction({}), nullptr);
  EXPECT_EQ(SubstituteColumns(expr, {{"b", *ParseExpr("x + 1")}})->ToString(),
            "x + 1 = 1 and (a > x + 1 or c is null) and true");
}

TEST(FilterBatch, SharesWhenAllRowsStay) {
  auto schema = arrow::schema({arrow::field("b", arrow::boolean())});
  arrow::BooleanBuilder builder;
  ASSERT_TRUE(builder.AppendValues(std::vector<bool>{true, true, false}).ok());
  ASSERT_TRUE(builder.AppendNull().ok());
  auto keep = *builder.Finish();
  auto batch = arrow::RecordBatch::Make(schema, 4, std::vector<ArrayPtr>{keep});
  EXPECT_EQ((*FilterBatch(batch, *keep))->num_rows(), 2);
  auto first = batch->Slice(0, 2);
  EXPECT_EQ(*FilterBatch(first, *keep->Slice(0, 2)), first);
  EXPECT_EQ((*FilterBatch(batch->Slice(2, 2), *keep->Slice(2, 2)))->num_rows(), 0);
}

}  // namespace
}  // namespace mutirao::frame
