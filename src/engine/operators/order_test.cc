// Sort, limit and sample: the operators that look at where rows stand.
#include <set>

#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using testing::BatchOf;
using testing::PlanPtr;
using testing::RandomTable;
using testing::Rows;
using testing::ScanOf;

PlanPtr Sort(const PlanPtr& input, std::vector<frame::SortKey> keys) {
  return MUTIRAO_MUST(frame::MakeSort(input, std::move(keys)));
}

struct Case {
  const char* type;
  const char* json;
  bool descending;
  std::vector<std::string> rows;
};

TEST(Sort, OrdersEveryTypeWithNullsLast) {
  const Case cases[] = {
      {"int64", "[3, null, -1, 2]", false, {"-1", "2", "3", "null"}},
      {"int64", "[3, null, -1, 2]", true, {"3", "2", "-1", "null"}},
      {"int8", "[127, -128, 0]", false, {"-128", "0", "127"}},
      {"float64", "[1.5, NaN, -2, null, -Inf, 0.25]", false, {"-inf", "-2", "0.25", "1.5", "nan", "null"}},
      {"float64", "[1.5, NaN, -2, null]", true, {"nan", "1.5", "-2", "null"}},
      {"string",
       R"(["b", "a", null, "ab", "", "a\u0000", "é"])",
       false,
       {"", "a", std::string("a\0", 2), "ab", "b", "é", "null"}},
      {"string", R"(["b", "a", null, "ab"])", true, {"b", "ab", "a", "null"}},
      {"bool", "[true, null, false]", false, {"false", "true", "null"}},
      {"decimal(20,2)", R"(["-1.50", "12345678901234.00", "0.01"])", false, {"-1.50", "0.01", "12345678901234.00"}},
      {"date", "[19000, -1, null]", true, {"2022-01-08", "1969-12-31", "null"}},
  };
  for (const Case& c : cases) {
    const PlanPtr plan = Sort(ScanOf({BatchOf({{"x", c.type, c.json}})}, false, 2), {{"x", c.descending}});
    EXPECT_EQ(Rows(plan, false), c.rows) << c.type;
  }
}

TEST(Sort, IsStableAndAgreesWithAStableSort) {
  const BatchPtr table = RandomTable(1, 700000, 500);
  const PlanPtr sorted = Sort(ScanOf({table}, true, 30000), {{"k", true}, {"t", false}});
  std::vector<int64_t> order(700000);
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  const auto& k = static_cast<const arrow::Int64Array&>(*table->column(0));
  const auto& t = static_cast<const arrow::StringArray&>(*table->column(1));
  const auto rank = [](bool valid) { return valid ? 0 : 1; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t x, int64_t y) {
    if (rank(k.IsValid(x)) != rank(k.IsValid(y))) return k.IsValid(x);
    if (k.IsValid(x) && k.Value(x) != k.Value(y)) return k.Value(x) > k.Value(y);
    if (rank(t.IsValid(x)) != rank(t.IsValid(y))) return t.IsValid(x);
    return t.IsValid(x) && t.GetView(x) < t.GetView(y);
  });
  for (const int threads : {1, 4}) {
    auto batches = MUTIRAO_MUST(Collect(sorted, testing::Threads(threads)));
    size_t at = 0;
    for (const BatchPtr& batch : batches) {
      for (int64_t row = 0; row < batch->num_rows(); ++row, ++at) {
        const int64_t want = order[at];
        ASSERT_TRUE(batch->column(2)->RangeEquals(*table->column(2), row, row + 1, want)) << at;
        ASSERT_TRUE(batch->column(3)->RangeEquals(*table->column(3), row, row + 1, want)) << at;
      }
    }
    EXPECT_EQ(at, order.size());
  }
}

TEST(Sort, WithALimitGivesTheFirstRows) {
  const PlanPtr input = ScanOf({RandomTable(2, 300000, 100000)}, true, 10000);
  const PlanPtr sorted = Sort(input, {{"d", false}, {"k", true}});
  auto all = Rows(sorted, false);
  for (const int64_t limit : {0, 1, 1000, 200000, 400000}) {
    auto first = all;
    first.resize(std::min<size_t>(first.size(), static_cast<size_t>(limit)));
    EXPECT_EQ(Rows(MUTIRAO_MUST(frame::MakeLimit(Sort(input, {{"d", false}, {"k", true}}), limit)), false), first)
        << limit;
  }
}

TEST(Sort, TakesEmptyInput) {
  EXPECT_TRUE(Rows(Sort(ScanOf({BatchOf({{"x", "int64", "[]"}})}), {{"x", false}})).empty());
}

TEST(Limit, IsExactAndStopsAnEndlessScan) {
  testing::MemoryBehaviour endless{.endless = true};
  for (const int threads : {1, 4}) {
    const PlanPtr input = ScanOf({RandomTable(3, 1000, 10)}, false, 100, endless);
    const PlanPtr plan = MUTIRAO_MUST(frame::MakeLimit(input, 12345));
    auto batches = MUTIRAO_MUST(Collect(plan, testing::Threads(threads)));
    EXPECT_EQ(testing::RowsOf(batches).size(), 12345u);
  }
}

TEST(Limit, GivesTheFirstRowsOfAnOrderedInputAndStops) {
  testing::MemoryBehaviour endless{.endless = true};
  for (const int threads : {1, 4}) {
    const PlanPtr input = ScanOf({RandomTable(3, 1000, 10)}, true, 100, endless);
    const PlanPtr plan = MUTIRAO_MUST(frame::MakeLimit(input, 950));
    auto rows = testing::RowsOf(MUTIRAO_MUST(Collect(plan, testing::Threads(threads))), false);
    auto want = testing::RowsOf({RandomTable(3, 1000, 10)}, false);
    want.resize(950);
    EXPECT_EQ(rows, want);
  }
}

TEST(Sample, OfACountIsExactAndTheSameForAnyWorkers) {
  const PlanPtr input = ScanOf({RandomTable(4, 20000, 20000)}, true, 300);
  const auto seven = Rows(MUTIRAO_MUST(frame::MakeSample(input, std::nullopt, 500, 7)));
  EXPECT_EQ(seven.size(), 500u);
  EXPECT_NE(seven, Rows(MUTIRAO_MUST(frame::MakeSample(input, std::nullopt, 500, 8))));
  EXPECT_EQ(Rows(MUTIRAO_MUST(frame::MakeSample(input, std::nullopt, 50000, 7))).size(), 20000u);
}

TEST(Sample, OfAShareIsNearItAndTheSameForAnyWorkers) {
  const PlanPtr input = ScanOf({RandomTable(4, 100000, 20000)}, true, 3000);
  const auto rows = Rows(MUTIRAO_MUST(frame::MakeSample(input, 0.1, std::nullopt, 7)));
  EXPECT_NEAR(static_cast<double>(rows.size()), 10000, 500);
  EXPECT_TRUE(Rows(MUTIRAO_MUST(frame::MakeSample(input, 0.0, std::nullopt, 7))).empty());
  EXPECT_EQ(Rows(MUTIRAO_MUST(frame::MakeSample(input, 1.0, std::nullopt, 7))).size(), 100000u);
}

}  // namespace
}  // namespace mutirao::engine
