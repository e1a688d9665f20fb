#include <map>
#include <set>

#include <fmt/format.h>

#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using testing::BatchOf;
using testing::PlanPtr;
using testing::RandomTable;
using testing::Rows;
using testing::ScanOf;

PlanPtr Aggregate(const PlanPtr& input, const std::vector<std::string>& by, const std::vector<std::string>& with) {
  std::vector<frame::NamedExpr> keys, values;
  for (const std::string& name : by) keys.push_back({name, testing::E(name)});
  for (const std::string& text : with) values.push_back({"a" + std::to_string(values.size()), testing::E(text)});
  return MUTIRAO_MUST(frame::MakeAggregate(input, keys, values));
}

std::string One(const std::string& type, const std::string& json, const std::string& call) {
  const PlanPtr input = ScanOf({BatchOf({{"x", type, json}})}, true, 2);
  const auto rows = Rows(Aggregate(input, {}, {call}));
  return rows.size() == 1 ? rows[0] : std::to_string(rows.size()) + " rows";
}

struct Case {
  const char* type;
  const char* json;
  const char* call;
  const char* value;
};

TEST(Aggregate, ComputesEveryFunction) {
  const Case cases[] = {
      {"int64", "[1, null, 3]", "count()", "3"},
      {"int64", "[1, null, 3]", "count(x)", "2"},
      {"int64", "[]", "count()", "0"},
      {"string", R"(["a", "b", "a", null, "a long text beyond fifteen", "a long text beyond fifteen"])",
       "count_distinct(x)", "3"},
      {"float64", "[0.0, -0.0, NaN, NaN, 1]", "count_distinct(x)", "3"},
      {"string", R"(["a", "b", "a", null])", "approx_count_distinct(x)", "2"},
      {"int64", "[1, null, 3]", "sum(x)", "4"},
      {"int64", "[null, null]", "sum(x)", "null"},
      {"int64", "[]", "sum(x)", "null"},
      {"int8", "[127, 127]", "sum(x)", "254"},
      {"float64", "[1.5, null, 3]", "sum(x)", "4.5"},
      {"decimal(4,2)", R"(["1.25", "-3.50", null])", "sum(x)", "-2.25"},
      {"int64", "[9223372036854775807, 1, -1]", "sum(x)", "9223372036854775807"},
      {"int64", "[1, 2, null]", "avg(x)", "1.5"},
      {"decimal(4,2)", R"(["1.25", "-3.50"])", "avg(x)", "-1.125"},
      {"int64", "[null]", "avg(x)", "null"},
      {"int64", "[3, 1, null, 2]", "min(x)", "1"},
      {"float64", "[3, NaN, 1]", "max(x)", "nan"},
      {"float64", "[NaN, 3]", "min(x)", "3"},
      {"string", R"(["b", "ab", null, "c"])", "min(x)", "ab"},
      {"string", R"(["b", "ab", null, "c"])", "max(x)", "c"},
      {"date", "[19000, 18000]", "max(x)", "2022-01-08"},
      {"bool", "[true, false]", "min(x)", "false"},
      {"decimal(4,2)", R"(["1.25", "-3.50"])", "min(x)", "-3.50"},
      {"string", R"([null, "b", "c"])", "first(x)", "null"},
      {"string", R"([null, "b", "c"])", "last(x)", "c"},
      {"string", R"([null, "b", "c"])", "any_value(x)", "b"},
      {"int64", "[]", "first(x)", "null"},
      {"list<int64>", "[[1], null, [2, 3]]", "last(x)", "list<item: int64>[2, 3]"},
      {"int64", "[1, 2, 3, 4]", "stddev(x)", "1.2909944487358056"},
      {"int64", "[1]", "stddev(x)", "null"},
      {"int64", "[5, 1, 4, null]", "median(x)", "4"},
      {"int64", "[5, 1, 4, 2]", "median(x)", "3"},
      {"decimal(4,2)", R"(["1.00", "2.00"])", "median(x)", "1.5"},
      {"int64", "[3, null, 1]", "list(x)", "list<item: int64>[3, null, 1]"},
  };
  for (const Case& c : cases) EXPECT_EQ(One(c.type, c.json, c.call), c.value) << c.call << " of " << c.json;
}

TEST(Aggregate, RefusesASumThatDoesNotFit) {
  const PlanPtr input = ScanOf({BatchOf({{"x", "int64", "[9223372036854775807, 1]"}})});
  auto rows = Collect(Aggregate(input, {}, {"sum(x)"}));
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.status().code(), StatusCode::kInvalid);
  EXPECT_NE(rows.status().message().find("does not fit into int64"), std::string::npos);
}

TEST(Aggregate, PutsNullsIntoAGroupOfTheirOwn) {
  const PlanPtr input =
      ScanOf({BatchOf({{"k", "string", R"(["a", null, "", null])"}, {"v", "int64", "[1, 2, 4, 8]"}})});
  EXPECT_EQ(Rows(Aggregate(input, {"k"}, {"sum(v)"})), (std::vector<std::string>{"a|1", "null|10", "|4"}));
}

TEST(Aggregate, GivesNoGroupsForNoRows) {
  const PlanPtr input = ScanOf({BatchOf({{"k", "string", "[]"}, {"v", "int64", "[]"}})});
  EXPECT_TRUE(Rows(Aggregate(input, {"k"}, {"sum(v)"})).empty());
}

TEST(Aggregate, IsTheSameForManyGroupsAndWorkers) {
  const PlanPtr input = ScanOf({RandomTable(1, 60000, 30000)}, true, 500);
  const auto rows = Rows(Aggregate(input, {"k", "t"},
                                   {"count()", "sum(v)", "min(t)", "max(d)", "first(v)", "last(v)", "median(v)",
                                    "count_distinct(v)", "list(v)", "approx_count_distinct(v)"}));
  EXPECT_GT(rows.size(), 20000u);
}

TEST(Aggregate, EstimatesDistinctValuesWithinAFewPercent) {
  const PlanPtr input = ScanOf({RandomTable(2, 200000, 50000)}, false, 5000);
  auto batches = MUTIRAO_MUST(Collect(Aggregate(input, {}, {"count_distinct(k)", "approx_count_distinct(k)"})));
  const auto exact = static_cast<double>(static_cast<const arrow::Int64Array&>(*batches[0]->column(0)).Value(0));
  const auto guess = static_cast<double>(static_cast<const arrow::Int64Array&>(*batches[0]->column(1)).Value(0));
  EXPECT_NEAR(guess / exact, 1.0, 0.08);
}

TEST(Distinct, KeepsTheFirstOfEqualRows) {
  const PlanPtr input =
      ScanOf({BatchOf({{"k", "int64", "[1, 2, 1, null, null, 2]"}, {"v", "int64", "[1, 2, 3, 4, 5, 6]"}})}, true, 1);
  EXPECT_EQ(Rows(MUTIRAO_MUST(frame::MakeDistinct(input, {"k"})), false),
            (std::vector<std::string>{"1|1", "2|2", "null|4"}));
  EXPECT_EQ(Rows(MUTIRAO_MUST(frame::MakeDistinct(input, {})), false).size(), 6u);
}

TEST(Distinct, IsTheSameForManyRowsAndWorkers) {
  const PlanPtr input = ScanOf({RandomTable(3, 50000, 9000)}, false, 100);
  EXPECT_EQ(Rows(MUTIRAO_MUST(frame::MakeDistinct(input, {"k"}))).size(),
            Rows(Aggregate(input, {"k"}, {"count()"})).size());
  EXPECT_EQ(Rows(MUTIRAO_MUST(frame::MakeDistinct(input, {}))).size(),
            Rows(Aggregate(input, {"k", "t", "v", "d"}, {"count()"})).size());
}

TEST(Distinct, TakesEmptyInput) {
  const PlanPtr empty = ScanOf({BatchOf({{"l", "string", "[]"}})});
  EXPECT_TRUE(Rows(MUTIRAO_MUST(frame::MakeDistinct(empty, {}))).empty());
}

// Pairs are only listed while nearly all are new; those that occur again later must still count once.
TEST(Aggregate, CountsDistinctValuesThatAreNearlyAllNew) {
  constexpr int64_t kRows = 300000;
  arrow::Int64Builder key, value;
  for (int64_t row = 0; row < kRows; ++row) {
    // The last third repeats the first; half of the rows are of one group.
    const int64_t number = row % (kRows * 2 / 3);
    MUTIRAO_MUST(key.Append(number % 2 == 0 ? 0 : number % 7));
    MUTIRAO_MUST(value.Append(number * 7));
  }
  std::set<std::pair<int64_t, int64_t>> pairs;
  for (int64_t number = 0; number < kRows * 2 / 3; ++number) {
    pairs.insert({number % 2 == 0 ? 0 : number % 7, number * 7});
  }
  std::map<int64_t, int64_t> counts;
  for (const auto& pair : pairs) ++counts[pair.first];
  std::vector<std::string> want;
  for (const auto& [group, count] : counts) want.push_back(fmt::format("{}|{}", group, count));
  std::sort(want.begin(), want.end());
  auto batch =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("k", arrow::int64()), arrow::field("x", arrow::int64())}),
                               kRows, {MUTIRAO_MUST(key.Finish()), MUTIRAO_MUST(value.Finish())});
  const PlanPtr input = ScanOf({batch}, false, 5000);
  for (const int threads : {1, 3}) {
    for (const int64_t memory : {int64_t{1} << 30, int64_t{1} << 20}) {
      ExecuteOptions options = testing::Threads(threads);
      options.memory = memory;
      auto rows = Collect(Aggregate(input, {"k"}, {"count_distinct(x)"}), options);
      ASSERT_TRUE(rows.ok()) << rows.status().ToString();
      EXPECT_EQ(testing::RowsOf(*rows), want) << threads << " threads, " << memory;
    }
    auto all = Collect(Aggregate(input, {}, {"count_distinct(x)"}), testing::Threads(threads));
    ASSERT_TRUE(all.ok());
    EXPECT_EQ(testing::RowsOf(*all), std::vector<std::string>{std::to_string(kRows * 2 / 3)});
  }
}

}  // namespace
}  // namespace mutirao::engine
