#include "engine/pipeline/work_estimate.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using frame::PlanPtr;
using testing::E;

// Nothing but what a source says of its size.
class SizedSource : public testing::MemorySource {
 public:
  SizedSource(SchemaPtr schema, int64_t rows) : MemorySource("sized", std::move(schema)), rows_(rows) {}
  int64_t EstimatedRows() const override { return rows_; }

 private:
  const int64_t rows_;
};

PlanPtr Sized(int64_t rows, const std::vector<std::string>& columns) {
  arrow::FieldVector fields;
  for (const std::string& column : columns) fields.push_back(arrow::field(column, arrow::int64()));
  return MUTIRAO_MUST(frame::MakeScan(std::make_shared<SizedSource>(arrow::schema(fields), rows)));
}

class Work : public ::testing::Test {
 protected:
  WorkEstimate Of(const PlanPtr& plan) {
    std::vector<const frame::PlanNode*> nodes;
    AddNodes(*plan, nodes);
    PlanOrder order([this](const frame::JoinNode& join) { return sides_.BuildRight(join); });
    return WorkEstimate::Of(nodes, sides_, order);
  }

  static void AddNodes(const frame::PlanNode& node, std::vector<const frame::PlanNode*>& nodes) {
    if (std::ranges::find(nodes, &node) != nodes.end()) return;
    for (const PlanPtr& input : node.inputs()) AddNodes(*input, nodes);
    nodes.push_back(&node);
  }

  JoinSides sides_{std::stop_token()};
};

TEST_F(Work, OfOneScanNeedsNoWeight) {
  const PlanPtr scan = Sized(1000, {"k"});
  const PlanPtr sort = MUTIRAO_MUST(frame::MakeSort(scan, {{"k", false}}));
  EXPECT_TRUE(Of(sort).scans.empty());
}

TEST_F(Work, OfAJoinIsUnknownWhereASourceIs) {
  const PlanPtr left = Sized(1000, {"k"});
  const PlanPtr right = Sized(-1, {"rk"});
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(left, right, {{"k", "rk"}}, frame::JoinKind::kInner));
  EXPECT_TRUE(Of(join).scans.empty());
}

// What is looked up, gathered and aggregated falls to the side that is read second, though both read as much.
TEST_F(Work, BehindAJoinIsThatOfTheSideThatIsLookedUp) {
  const PlanPtr build = Sized(1'000'000, {"rk", "x"});
  const PlanPtr probe = Sized(2'000'000, {"k", "y"});
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(probe, build, {{"k", "rk"}}, frame::JoinKind::kInner));
  const WorkEstimate work = Of(join);
  ASSERT_EQ(work.scans.size(), 2u);
  const WorkEstimate::Join& of_join = work.joins.at(join.get());
  EXPECT_GT(of_join.table, 0);
  EXPECT_EQ(of_join.probes, std::vector<const frame::PlanNode*>{probe.get()});
  EXPECT_DOUBLE_EQ(work.scans.at(probe.get()), of_join.above + 2 * 2'000'000 * frame::Source::kReadValue);
  // Twice the rows, and each costs more than one that is only kept.
  EXPECT_GT(work.scans.at(probe.get()), 2 * work.scans.at(build.get()));

  const PlanPtr groups = MUTIRAO_MUST(frame::MakeAggregate(join, {{"y", E("y")}}, {{"n", E("count()")}}));
  const WorkEstimate longer = Of(groups);
  EXPECT_DOUBLE_EQ(longer.scans.at(build.get()), work.scans.at(build.get()));
  EXPECT_GT(longer.scans.at(probe.get()), work.scans.at(probe.get()));
}

TEST_F(Work, OfATableJoinedWithItselfCountsBothSides) {
  const PlanPtr scan = Sized(1000, {"k"});
  const PlanPtr other = MUTIRAO_MUST(frame::MakeProject(scan, {{"rk", E("k")}}));
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(scan, other, {{"k", "rk"}}, frame::JoinKind::kInner));
  const WorkEstimate work = Of(join);
  ASSERT_EQ(work.scans.size(), 1u);
  EXPECT_GT(work.joins.at(join.get()).table, 0);
  EXPECT_GT(work.joins.at(join.get()).above, 0);
  EXPECT_GT(work.scans.at(scan.get()), work.joins.at(join.get()).above);
}

}  // namespace
}  // namespace mutirao::engine
