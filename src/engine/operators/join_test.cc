#include <map>

#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using frame::JoinKind;
using testing::BatchOf;
using testing::PlanPtr;
using testing::RandomTable;
using testing::Rows;
using testing::ScanOf;

PlanPtr WithBuildSide(const PlanPtr& join, bool build_right) {
  const auto& node = static_cast<const frame::JoinNode&>(*join);
  auto spec = node.spec;
  spec.build_right = build_right;
  return MUTIRAO_MUST(frame::MakeJoin(node.left(), node.right(), spec));
}

// The rows of a join with the table on either side.
std::vector<std::string> JoinRows(const PlanPtr& left, const PlanPtr& right,
                                  const std::vector<std::pair<std::string, std::string>>& on, JoinKind kind) {
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(left, right, on, kind));
  auto rows = Rows(WithBuildSide(join, true));
  EXPECT_EQ(rows, Rows(WithBuildSide(join, false)));
  return rows;
}

PlanPtr Left() {
  return ScanOf({BatchOf({{"id", "int64", "[1, 2, 2, null, 4]"}, {"l", "string", R"(["a", "b", "c", "d", null])"}})});
}
PlanPtr Right() {
  return ScanOf({BatchOf({{"key", "int64", "[2, 2, 3, null, 4]"}, {"r", "int64", "[10, 20, 30, 40, null]"}})});
}

struct Case {
  JoinKind kind;
  std::vector<std::string> rows;
};

TEST(Join, GivesTheRowsOfEveryKind) {
  const std::vector<std::string> inner{"2|b|10", "2|b|20", "2|c|10", "2|c|20", "4|null|null"};
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), inner.begin(), inner.end());
    std::sort(more.begin(), more.end());
    return more;
  };
  const Case cases[] = {{JoinKind::kInner, inner},
                        {JoinKind::kLeft, with({"1|a|null", "null|d|null"})},
                        {JoinKind::kRight, with({"3|null|30", "null|null|40"})},
                        {JoinKind::kFull, with({"1|a|null", "null|d|null", "3|null|30", "null|null|40"})},
                        {JoinKind::kSemi, {"2|b", "2|c", "4|null"}},
                        {JoinKind::kAnti, {"1|a", "null|d"}}};
  for (const Case& c : cases) {
    EXPECT_EQ(JoinRows(Left(), Right(), {{"id", "key"}}, c.kind), c.rows) << frame::JoinKindName(c.kind);
  }
}

TEST(Join, CrossGivesAllPairs) {
  EXPECT_EQ(JoinRows(Left(), Right(), {}, JoinKind::kCross).size(), 25u);
}

TEST(Join, AgreesWithNestedLoopsOnRandomRows) {
  const BatchPtr left = RandomTable(1, 3000, 400), right = RandomTable(2, 900, 400, "r");
  const auto& lk = static_cast<const arrow::Int64Array&>(*left->column(0));
  const auto& rk = static_cast<const arrow::Int64Array&>(*right->column(0));
  size_t pairs = 0, left_alone = 0, right_alone = 0;
  std::vector<bool> matched(900);
  for (int64_t i = 0; i < 3000; ++i) {
    size_t partners = 0;
    for (int64_t j = 0; j < 900; ++j) {
      if (lk.IsNull(i) || rk.IsNull(j) || lk.Value(i) != rk.Value(j)) continue;
      ++partners;
      matched[static_cast<size_t>(j)] = true;
    }
    pairs += partners;
    left_alone += partners == 0;
  }
  for (bool one : matched) right_alone += one ? 0 : 1;
  const PlanPtr l = ScanOf({left}, false, 100), r = ScanOf({right}, false, 70);
  EXPECT_EQ(JoinRows(l, r, {{"k", "rk"}}, JoinKind::kInner).size(), pairs);
  EXPECT_EQ(JoinRows(l, r, {{"k", "rk"}}, JoinKind::kFull).size(), pairs + left_alone + right_alone);
  EXPECT_EQ(JoinRows(l, r, {{"k", "rk"}}, JoinKind::kAnti).size(), left_alone);

  ExecutionReport report;
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(l, r, {{"k", "rk"}}, JoinKind::kInner));
  for (const bool build_right : {true, false}) {
    ASSERT_TRUE(Collect(WithBuildSide(join, build_right), testing::Threads(4), &report).ok());
    const NodeReport& node = report.nodes.back();
    EXPECT_EQ(node.rows_in, 3000);
    EXPECT_EQ(node.rows_right, 900);
    EXPECT_EQ(node.rows_out, static_cast<int64_t>(pairs));
    EXPECT_EQ(node.left_unmatched, static_cast<int64_t>(left_alone));
    EXPECT_EQ(node.right_unmatched, static_cast<int64_t>(right_alone));
  }
}

TEST(Join, JoinsBySeveralKeysAndLongText) {
  const BatchPtr left = RandomTable(3, 2000, 30), right = RandomTable(4, 500, 30, "r");
  std::map<std::pair<int64_t, std::string>, int> counts;
  const auto text = [](const BatchPtr& batch, int64_t row) {
    return static_cast<const arrow::StringArray&>(*batch->column(1)).GetString(row);
  };
  const auto key = [](const BatchPtr& batch, int64_t row) {
    return static_cast<const arrow::Int64Array&>(*batch->column(0)).Value(row);
  };
  const auto usable = [](const BatchPtr& batch, int64_t row) {
    return batch->column(0)->IsValid(row) && batch->column(1)->IsValid(row);
  };
  for (int64_t i = 0; i < 500; ++i) {
    if (usable(right, i)) ++counts[{key(right, i), text(right, i)}];
  }
  size_t pairs = 0;
  for (int64_t i = 0; i < 2000; ++i) {
    if (usable(left, i)) pairs += static_cast<size_t>(counts[{key(left, i), text(left, i)}]);
  }
  EXPECT_GT(pairs, 0u);
  EXPECT_EQ(
      JoinRows(ScanOf({left}, false, 64), ScanOf({right}, false, 50), {{"k", "rk"}, {"t", "rt"}}, JoinKind::kInner)
          .size(),
      pairs);
}

TEST(Join, SplitsOneHotKeyIntoBatches) {
  // 600 × 600 rows of one key: 360,000 rows from one batch each.
  std::string ones = "[1";
  for (int i = 1; i < 600; ++i) ones += ",1";
  const PlanPtr left = ScanOf({BatchOf({{"k", "int64", ones + "]"}})});
  const PlanPtr right = ScanOf({BatchOf({{"k", "int64", ones + "]"}, {"r", "int64", ones + "]"}})});
  EXPECT_EQ(JoinRows(left, right, {{"k", "k"}}, JoinKind::kLeft).size(), 360000u);
}

TEST(Join, TakesEmptySidesAndKeysThatAreAllNull) {
  const PlanPtr empty = ScanOf({BatchOf({{"k", "int64", "[]"}, {"e", "string", "[]"}})});
  const PlanPtr nulls = ScanOf({BatchOf({{"k", "int64", "[null, null]"}, {"n", "int64", "[1, 2]"}})});
  for (const auto& [kind, rows] : std::vector<std::pair<JoinKind, size_t>>{{JoinKind::kInner, 0},
                                                                           {JoinKind::kLeft, 2},
                                                                           {JoinKind::kRight, 0},
                                                                           {JoinKind::kFull, 2},
                                                                           {JoinKind::kSemi, 0},
                                                                           {JoinKind::kAnti, 2}}) {
    EXPECT_EQ(JoinRows(nulls, empty, {{"k", "k"}}, kind).size(), rows) << frame::JoinKindName(kind);
  }
  EXPECT_EQ(JoinRows(nulls, nulls, {{"k", "k"}}, JoinKind::kFull).size(), 4u);
  EXPECT_EQ(JoinRows(empty, empty, {{"k", "k"}}, JoinKind::kFull).size(), 0u);
}

TEST(Join, OfAFrameWithItselfReadsItOnce) {
  const PlanPtr table = ScanOf({RandomTable(5, 1000, 100)}, false, 50);
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(table, table, {{"k", "k"}}, JoinKind::kSemi));
  ExecutionReport report;
  auto batches = Collect(join, testing::Threads(4), &report);
  ASSERT_TRUE(batches.ok()) << batches.status().ToString();
  EXPECT_EQ(report.nodes.at(0).rows_read, 1000);
  EXPECT_EQ(static_cast<int64_t>(testing::RowsOf(*batches).size()), 1000 - report.nodes.back().left_unmatched);
}

TEST(Join, OfTwoFramesThatEachNeedTheOtherDoesNotWaitForever) {
  const PlanPtr x = ScanOf({RandomTable(6, 300, 20)}, false, 30);
  const PlanPtr y = ScanOf({RandomTable(7, 300, 20, "r")}, false, 30);
  const PlanPtr first = WithBuildSide(MUTIRAO_MUST(frame::MakeJoin(x, y, {{"k", "rk"}}, JoinKind::kSemi)), true);
  const PlanPtr second = WithBuildSide(MUTIRAO_MUST(frame::MakeJoin(x, y, {{"k", "rk"}}, JoinKind::kSemi)), false);
  const PlanPtr both = MUTIRAO_MUST(frame::MakeUnion({first, second}));
  EXPECT_EQ(Rows(both).size() % 2, 0u);
}

TEST(Join, KeepsTheOrderOfItsLeftSide) {
  const PlanPtr left = ScanOf({RandomTable(8, 5000, 40)}, true, 37);
  const PlanPtr right = MUTIRAO_MUST(frame::MakeDistinct(ScanOf({RandomTable(9, 100, 40, "r")}, true), {"rk"}));
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(left, right, {{"k", "rk"}}, JoinKind::kLeft));
  const PlanPtr only_left = MUTIRAO_MUST(frame::MakeProject(join, {{"k", testing::E("k")}, {"t", testing::E("t")}}));
  const PlanPtr plain = MUTIRAO_MUST(frame::MakeProject(left, {{"k", testing::E("k")}, {"t", testing::E("t")}}));
  EXPECT_EQ(Rows(only_left, false), Rows(plain, false));
}

TEST(Join, ALimitThatIsFullCountsNoRowsWithoutAPartner) {
  const PlanPtr left = ScanOf({RandomTable(1, 3000, 300)}, false, 100);
  const PlanPtr right = ScanOf({RandomTable(2, 900, 300, "r")});
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(left, right, {{"k", "rk"}}, frame::JoinKind::kInner));
  const PlanPtr limit = MUTIRAO_MUST(frame::MakeLimit(join, 1));
  ExecutionReport report;  // of nodes that the plan owns
  MUTIRAO_MUST(Collect(limit, testing::Threads(1), &report));
  for (const NodeReport& node : report.nodes) {
    if (node.node->kind() != frame::NodeKind::kJoin) continue;
    EXPECT_LT(node.rows_in, 3000) << "not full early enough";
    EXPECT_EQ(node.right_unmatched, 0) << "of a table that not all rows were looked up in";
  }
}

}  // namespace
}  // namespace mutirao::engine
