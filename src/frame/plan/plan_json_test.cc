#include "frame/plan/plan_json.h"

#include <limits>

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "frame/plan/known_tables_test.h"
#include "frame/plan/schema_rules.h"

namespace mutirao::frame {
namespace {

std::string RandomColumn(const PlanPtr& plan) {
  return *rc::gen::elementOf(ColumnNames(*plan->schema()));
}

// Add one random step that fits the plan; gives the plan itself when it does not.
PlanPtr RandomStep(const PlanPtr& plan, const std::vector<PlanPtr>& others) {
  std::string name = RandomColumn(plan);
  std::string column = QuoteName(name);
  auto expr = [](const std::string& text) { return MUTIRAO_MUST(ParseExpr(text)); };
  auto step = [&]() -> Result<PlanPtr> {
    switch (*rc::gen::inRange(0, 13)) {
      case 0:
        return MakeFilter(plan, expr(column + " is not null or cast(" + column + " as string) in ('a', 'b''c')"));
      case 1:
        return MakeDerive(plan, {{"new " + name, expr("case when " + column + " is null then 1.50 else -2 end")}});
      case 2:
        return MakeProject(
            plan, {{name, expr(column)}, {"x", expr("date '2024-02-29'")}, {"y", expr("cast(null as timestamp)")}});
      case 3:
        return MakeJoin(plan, *rc::gen::elementOf(others), {}, JoinKind::kCross, "_r");
      case 4:
        return MakeJoin(plan, plan, {{name, name}}, static_cast<JoinKind>(*rc::gen::inRange(0, 6)), "_s");
      case 5:
        return MakeAggregate(plan, {{name, expr(column)}},
                             {{"n", expr("count() + 1")}, {"m", expr("max(" + column + ")")}});
      case 6:
        return MakeDistinct(plan, {name});
      case 7:
        return MakeSort(plan, {{name, *rc::gen::arbitrary<bool>()}});
      case 8:
        return MakeLimit(plan, *rc::gen::inRange<int64_t>(0, 1000));
      case 9:
        return MakeSample(plan, 0.1 * *rc::gen::inRange(0, 10), std::nullopt, *rc::gen::arbitrary<uint64_t>());
      case 10:
        return MakeUnion({plan, plan});
      case 11:
        return MakeUnnest(plan, name, *rc::gen::arbitrary<bool>() ? std::optional<std::string>(",") : std::nullopt);
      default:
        return MakeQuarantine(plan, expr(column + " is null"), "it's \"null\"");
    }
  }();
  return step.ok() ? *step : plan;
}

RC_GTEST_PROP(PlanJson, RoundTripIsIdentity, ()) {
  std::vector<PlanPtr> bases;
  for (const char* table : {"companies", "establishments", "towns", "events"}) bases.push_back(PlanOf(table, "    []"));
  PlanPtr plan = *rc::gen::elementOf(bases);
  int steps = *rc::gen::inRange(0, 7);
  for (int i = 0; i < steps; ++i) plan = RandomStep(plan, bases);
  Json json = PlanToJson({plan, plan->inputs().empty() ? plan : plan->input()});
  auto read = PlanFromJson(MUTIRAO_MUST(ParseJson(json.dump())), KnownFormats(), {});
  RC_ASSERT(read.ok());
  RC_ASSERT(PlanToJson(*read).dump() == json.dump());
}

void ExpectRoundTrip(const arrow::Scalar& scalar) {
  Json json = ScalarToJson(scalar);
  auto read = ScalarFromJson(MUTIRAO_MUST(ParseJson(json.dump())));
  ASSERT_TRUE(read.ok()) << json << read.status().ToString();
  EXPECT_TRUE((*read)->type->Equals(*scalar.type)) << json;
  EXPECT_TRUE((*read)->Equals(scalar, arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false)))
      << json;
}

TEST(ScalarJson, IsExactForEveryType) {
  ExpectRoundTrip(arrow::BooleanScalar(true));
  ExpectRoundTrip(arrow::Int8Scalar(-128));
  ExpectRoundTrip(arrow::Int16Scalar(32767));
  ExpectRoundTrip(arrow::Int32Scalar(-5));
  ExpectRoundTrip(arrow::Int64Scalar(std::numeric_limits<int64_t>::min()));
  ExpectRoundTrip(arrow::Int64Scalar(std::numeric_limits<int64_t>::max()));
  for (double value : {0.1, -0.0, 1e308, 5e-324, std::numeric_limits<double>::infinity(),
                       -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    ExpectRoundTrip(arrow::DoubleScalar(value));
  }
  ExpectRoundTrip(arrow::StringScalar("são \"x\"\n"));
  ExpectRoundTrip(arrow::BinaryScalar(std::string("\0\xff ab", 5)));
  for (int days : {0, -719162, 2932896, 2932897, -719163, 19000}) ExpectRoundTrip(arrow::Date32Scalar(days));
  ExpectRoundTrip(arrow::TimestampScalar(-1, arrow::timestamp(arrow::TimeUnit::MICRO)));
  ExpectRoundTrip(arrow::TimestampScalar(1, arrow::timestamp(arrow::TimeUnit::MICRO, "America/Sao_Paulo")));
  ExpectRoundTrip(arrow::Decimal128Scalar(arrow::Decimal128("-150"), arrow::decimal128(18, 2)));
  ExpectRoundTrip(*arrow::MakeNullScalar(arrow::list(arrow::utf8())));
  arrow::StringBuilder items;
  ASSERT_TRUE(items.Append("a").ok() && items.AppendNull().ok());
  ExpectRoundTrip(arrow::ListScalar(*items.Finish(), arrow::list(arrow::utf8())));
  ExpectRoundTrip(arrow::NullScalar());
}

TEST(ScalarJson, RefusesValuesOfAnotherType) {
  for (const char* text :
       {R"(1)", R"({"type": "int8", "value": 128})", R"({"type": "int64", "value": 18446744073709551615})",
        R"({"type": "int64", "value": "1"})", R"_({"type": "decimal(3,2)", "value": "12.345"})_",
        R"({"type": "bool", "value": 1})", R"({"type": "binary", "value": "0g"})",
        R"({"type": "date", "value": "2024-13-01"})", R"({"type": "list<int8>", "value": [1, "2"]})",
        R"({"type": "nothing", "value": 1})", R"({"type": "null", "value": 1})", R"({"type": "int8"})"}) {
    auto read = ScalarFromJson(MUTIRAO_MUST(ParseJson(text)));
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.status().code(), StatusCode::kInvalid) << text;
  }
}

TEST(SchemaJson, RefusesDoubledNamesAndUnknownTypes) {
  EXPECT_FALSE(SchemaFromJson(Json::parse(R"([{"name": "a", "type": "int8"}, {"name": "a", "type": "int8"}])")).ok());
  EXPECT_FALSE(SchemaFromJson(Json::parse(R"([{"name": "a", "type": "int7"}])")).ok());
  EXPECT_FALSE(SchemaFromJson(Json::parse(R"([])")).ok());
  EXPECT_FALSE(SchemaFromJson(Json::parse(R"({})")).ok());
}

TEST(PlanFromJson, NamesTheNodeThatIsWrong) {
  Json good = PlanToJson({PlanOf("towns", "    - filter: codigo > 1\n    - limit: 3")});
  auto error = [&](const char* pointer, Json value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = std::move(value);
    auto read = PlanFromJson(bad, KnownFormats(), {});
    return read.ok() ? "fine" : read.status().ToString();
  };
  EXPECT_EQ(error("/nodes/2/kind", "limmit"), "plan node 2 (limmit): \"limmit\" is not a kind of plan node");
  EXPECT_EQ(error("/nodes/2/inputs/0", 2), "plan node 2 (limit): \"inputs\" names node 2, which does not stand before");
  EXPECT_EQ(error("/nodes/2/inputs", Json::array()), "plan node 2 (limit): 0 inputs");
  EXPECT_EQ(error("/nodes/2/count", -1), "plan node 2 (limit): a limit cannot be negative: -1");
  EXPECT_EQ(error("/nodes/2/count", "3"), "plan node 2 (limit): a number \"count\" is missing");
  EXPECT_NE(error("/nodes/1/predicate", "codigo >"), "fine");
  EXPECT_NE(error("/nodes/1/schema/0/type", "string"), "fine") << "the schema is compared";
  EXPECT_NE(error("/nodes/0/source", Json::object()), "fine");
  EXPECT_NE(error("/nodes", 1), "fine");
  EXPECT_NE(error("/roots/0", 9), "fine");
  EXPECT_NE(error("/nodes/0", nullptr), "fine");
}

}  // namespace
}  // namespace mutirao::frame
