#include "engine/lowering/join_spread.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "columnar/arrow_status.h"

namespace mutirao::engine {
namespace {

using frame::JoinKind;
using frame::PlanPtr;

// A table of which only its size is known.
class SizedSource : public frame::Source {
 public:
  SizedSource(SchemaPtr schema, int64_t rows, int64_t bytes) : schema_(std::move(schema)), rows_(rows), bytes_(bytes) {}
  std::string kind() const override { return "sized"; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override { return {}; }
  std::string Describe() const override { return "sized"; }
  bool CanPush(const frame::Expr&) const override { return false; }
  int64_t EstimatedRows() const override { return rows_; }
  int64_t TotalBytes() const override { return bytes_; }
  Result<std::vector<frame::Split>> Splits(int64_t) const override { return std::vector<frame::Split>(); }
  Result<std::unique_ptr<frame::Scan>> Open(const frame::ScanRequest&, const frame::ScanContext&) const override {
    return Status::Internal("nothing reads it");
  }

 private:
  const SchemaPtr schema_;
  const int64_t rows_;
  const int64_t bytes_;
};

struct Table {
  int64_t rows = 0;
  int64_t bytes = 0;
  int texts = 0;  // columns besides the key
  size_t tasks = 1;
};

Fragment FragmentOf(const Table& table, const std::string& prefix) {
  arrow::FieldVector fields = {arrow::field(prefix + "key", arrow::utf8())};
  for (int i = 0; i < table.texts; ++i) fields.push_back(arrow::field(prefix + std::to_string(i), arrow::utf8()));
  auto source = std::make_shared<SizedSource>(arrow::schema(std::move(fields)), table.rows, table.bytes);
  Fragment fragment{MUTIRAO_MUST(frame::MakeScan(std::move(source), false)), {}};
  for (size_t task = 0; task < table.tasks; ++task) {
    frame::Split split;
    split.bytes = table.bytes / static_cast<int64_t>(table.tasks);
    fragment.tasks.push_back({{fragment.plan.get(), ScanInput{.splits = {split}}}});
  }
  return fragment;
}

std::string Choice(const Table& left, const Table& right, JoinKind kind = JoinKind::kInner, int slots = 2,
                   int64_t memory = 2'700'000'000) {
  const Fragment sides[] = {FragmentOf(left, "l"), FragmentOf(right, "r")};
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(sides[0].plan, sides[1].plan, {{"lkey", "rkey"}}, kind));
  LoweringOptions options;
  options.slots = slots;
  options.partitions = std::max(4, 2 * slots);
  options.task_memory = memory;
  const JoinSpread spread =
      JoinSpreader(options).Choose(static_cast<const frame::JoinNode&>(*join), sides[0], sides[1]);
  if (!spread.broadcast) return "by keys";
  return std::string(spread.build_right ? "right" : "left") + " to all";
}

constexpr Table kEstablishments = {1'630'000, 1'000'000'000, 9, 8};
constexpr Table kCompanies = {3'400'000, 238'000'000, 4, 2};

TEST(JoinSpread, TheSideOfWhichLittleIsTakenGoesToAllThoughItHasMoreRows) {
  EXPECT_EQ(Choice(kEstablishments, kCompanies), "right to all");
  EXPECT_EQ(Choice(kCompanies, kEstablishments), "left to all");
  EXPECT_EQ(Choice(kEstablishments, kCompanies, JoinKind::kLeft), "right to all");
}

TEST(JoinSpread, LargeSidesAreCutByKeysWhereTablesWouldBeManyOrTooLarge) {
  EXPECT_EQ(Choice(kEstablishments, kCompanies, JoinKind::kInner, 64), "by keys");
  EXPECT_EQ(Choice(kEstablishments, kCompanies, JoinKind::kInner, 2, 200'000'000), "by keys");
  EXPECT_EQ(Choice(kEstablishments, kCompanies, JoinKind::kFull), "by keys");
}

TEST(JoinSpread, ASmallTableGoesToAll) {
  constexpr Table kTowns = {5'600, 300'000, 2, 1};
  EXPECT_EQ(Choice(kEstablishments, kTowns), "right to all");
  EXPECT_EQ(Choice(kTowns, kEstablishments), "left to all");
  EXPECT_EQ(Choice(kEstablishments, kTowns, JoinKind::kRight), "by keys");
}

TEST(JoinSpread, WhatHasNoKnownSizeIsCutByKeys) {
  EXPECT_EQ(Choice({-1, -1, 9, 8}, kCompanies), "by keys");
}

}  // namespace
}  // namespace mutirao::engine
