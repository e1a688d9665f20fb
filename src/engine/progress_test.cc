#include <gtest/gtest.h>

#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using testing::RandomTable;
using testing::ScanOf;

TEST(Progress, IsTheShareOfTheBytesWhereRowsStream) {
  EXPECT_LT(Progress{}.ShareDone(), 0);
  EXPECT_DOUBLE_EQ((Progress{.rows_read = 10, .bytes_read = 25, .bytes_total = 100}.ShareDone()), 0.25);
  EXPECT_DOUBLE_EQ((Progress{.bytes_read = 120, .bytes_total = 100}.ShareDone()), 1) << "a file that grew";
}

TEST(Progress, CountsWhatASortHasToGive) {
  // Whatever has come, all of the rows or half of them are kept: the end is seen equally far from the begin.
  for (const int64_t kept_of_ten : {10, 5}) {
    const double whole = 1 + 0.5 * static_cast<double>(kept_of_ten) / 10;
    for (int64_t tenth = 1; tenth <= 10; ++tenth) {
      const Progress reading{.rows_read = 100 * tenth,
                             .bytes_read = 1000 * tenth,
                             .bytes_total = 10'000,
                             .rows_kept = 10 * kept_of_ten * tenth};
      EXPECT_NEAR(reading.ShareDone(), static_cast<double>(tenth) / 10 / whole, 1e-9);
      Progress giving = reading;
      giving.rows_read = 1000;
      giving.bytes_read = 10'000;
      giving.rows_kept = 100 * kept_of_ten;
      giving.rows_given = giving.rows_kept * tenth / 10;
      EXPECT_NEAR(giving.ShareDone(), (1 + (whole - 1) * static_cast<double>(tenth) / 10) / whole, 1e-9);
    }
  }
}

// Both sides of a join count from the start, though the second begins when the first has ended.
TEST(Progress, KnowsAllInputsFromTheStart) {
  testing::MemoryBehaviour slow{.pause = std::chrono::milliseconds(10), .counts_bytes = true};
  const frame::PlanPtr left = ScanOf({RandomTable(1, 2000, 500)}, false, 100, slow);
  const frame::PlanPtr right = ScanOf({RandomTable(2, 2000, 500, "r")}, false, 100, slow);
  const frame::PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(left, right, {{"k", "rk"}}, frame::JoinKind::kInner));
  ExecuteOptions options = testing::Threads(1);
  std::vector<Progress> seen;
  options.progress = [&](const Progress& progress) { seen.push_back(progress); };
  ASSERT_TRUE(Collect(join, options).ok());
  ASSERT_FALSE(seen.empty());
  for (const Progress& progress : seen) {
    EXPECT_EQ(progress.bytes_total, 4000 * 8);
    // 100 rows are on their way between the two counters.
    EXPECT_NEAR(progress.ShareDone(), static_cast<double>(progress.rows_read) / 4000, 0.05);
  }
  EXPECT_DOUBLE_EQ(seen.back().ShareDone(), 1);
}

TEST(Progress, IsThatOfTheWorkWhereScansWereWeighed) {
  Progress progress{.rows_read = 10, .bytes_read = 90, .bytes_total = 100, .share_read = 0.4};
  EXPECT_DOUBLE_EQ(progress.ShareDone(), 0.4);
  progress.rows_kept = 10;
  EXPECT_DOUBLE_EQ(progress.ShareDone(), 0.4 / 1.5);
}

// The side that is looked up costs more than the one that is only kept: its bytes are half, its work is more. Also
// where parts of both go to disk the end is seen, and not before.
TEST(Progress, WeighsTheSidesOfAJoin) {
  testing::MemoryBehaviour slow{.pause = std::chrono::milliseconds(5), .counts_bytes = true, .counts_rows = true};
  const frame::PlanPtr left = ScanOf({RandomTable(1, 4000, 500)}, false, 100, slow);
  slow.counts_bytes = false;  // like a table within the job
  const frame::PlanPtr right = ScanOf({RandomTable(2, 4000, 500, "r")}, false, 100, slow);
  const frame::PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(left, right, {{"k", "rk"}}, frame::JoinKind::kInner));
  for (const int64_t memory : {int64_t{1} << 30, int64_t{1} << 16}) {
    ExecuteOptions options = testing::Threads(1);
    options.memory = memory;
    std::vector<Progress> seen;
    options.progress = [&](const Progress& progress) { seen.push_back(progress); };
    ExecutionReport report;
    ASSERT_TRUE(Collect(join, options, &report).ok());
    EXPECT_EQ(report.bytes_spilled > 0, memory < 1 << 20);
    ASSERT_FALSE(seen.empty());
    for (size_t i = 0; i < seen.size(); ++i) {
      // What goes to disk is more work, so that what was done becomes a smaller share.
      if (report.bytes_spilled == 0) {
        EXPECT_GE(seen[i].share_read, i == 0 ? 0 : seen[i - 1].share_read);
      }
      EXPECT_GE(seen[i].share_read, 0);
      // While nothing of the second side was read.
      if (seen[i].rows_read <= 4000) {
        EXPECT_LT(seen[i].ShareDone(), 0.5);
      }
    }
    EXPECT_DOUBLE_EQ(seen.back().ShareDone(), 1);
  }
}

}  // namespace
}  // namespace mutirao::engine
