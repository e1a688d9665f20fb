#include <random>

#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using frame::JoinKind;
using testing::BatchOf;
using testing::PlanPtr;
using testing::ScanOf;

constexpr JoinKind kKeyed[] = {JoinKind::kInner, JoinKind::kLeft, JoinKind::kRight,
                               JoinKind::kFull,  JoinKind::kSemi, JoinKind::kAnti};

PlanPtr Join(const PlanPtr& left, const PlanPtr& right, const std::vector<std::pair<std::string, std::string>>& on,
             JoinKind kind, bool build_right) {
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(left, right, on, kind));
  const auto& node = static_cast<const frame::JoinNode&>(*join);
  auto spec = node.spec;
  spec.build_right = build_right;
  return MUTIRAO_MUST(frame::MakeJoin(node.left(), node.right(), spec));
}

// Keys of which some are null and most come twice or so, and text too long for a slot.
BatchPtr RandomTable(uint64_t seed, int64_t rows, int64_t keys, const std::string& prefix = "") {
  std::mt19937_64 random(seed);
  arrow::Int64Builder key, value;
  arrow::StringBuilder text;
  for (int64_t row = 0; row < rows; ++row) {
    const auto pick = static_cast<int64_t>(random() % static_cast<uint64_t>(keys));
    (void)(random() % 13 == 0 ? key.AppendNull() : key.Append(pick));
    (void)(random() % 13 == 0 ? text.AppendNull()
                              : text.Append("a text that is long enough " + std::to_string(pick % 50)));
    (void)value.Append(row);
  }
  auto schema = arrow::schema({arrow::field(prefix + "k", arrow::int64()), arrow::field(prefix + "t", arrow::utf8()),
                               arrow::field(prefix + "v", arrow::int64())});
  return arrow::RecordBatch::Make(schema, rows,
                                  {key.Finish().ValueOrDie(), text.Finish().ValueOrDie(), value.Finish().ValueOrDie()});
}

// Every row as text; in the given order, or sorted. Many rows: quicker than by scalars.
std::vector<std::string> RowsOf(const std::vector<BatchPtr>& batches, bool sorted) {
  std::vector<std::string> rows;
  for (const BatchPtr& batch : batches) {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      std::string text;
      for (const ArrayPtr& column : batch->columns()) {
        if (column->IsNull(row)) {
          text += "null|";
        } else if (column->type_id() == arrow::Type::STRING) {
          text += static_cast<const arrow::StringArray&>(*column).GetString(row) + "|";
        } else {
          text += std::to_string(static_cast<const arrow::Int64Array&>(*column).Value(row)) + "|";
        }
      }
      rows.push_back(std::move(text));
    }
  }
  if (sorted) std::sort(rows.begin(), rows.end());
  return rows;
}

struct Outcome {
  std::vector<std::string> rows;
  int64_t left_unmatched = 0, right_unmatched = 0, rows_out = 0, bytes_spilled = 0;
};

Outcome RunIn(const PlanPtr& plan, int64_t memory, int threads, bool sorted = true) {
  ExecuteOptions options = testing::Threads(threads);
  options.memory = memory;
  ExecutionReport report;
  auto batches = Collect(plan, options, &report);
  EXPECT_TRUE(batches.ok()) << batches.status().ToString();
  if (!batches.ok()) return {};
  for (const BatchPtr& batch : *batches) EXPECT_TRUE(batch->ValidateFull().ok()) << batch->ValidateFull().ToString();
  for (const NodeReport& node : report.nodes) {
    if (node.node->kind() != frame::NodeKind::kJoin) continue;
    return {RowsOf(*batches, sorted), node.left_unmatched, node.right_unmatched, node.rows_out, report.bytes_spilled};
  }
  return {};
}

constexpr int64_t kPlenty = int64_t{1} << 40;

// The join with little memory, with the table on either side, and the same with plenty.
void ExpectSame(const PlanPtr& left, const PlanPtr& right, const std::vector<std::pair<std::string, std::string>>& on,
                JoinKind kind, int64_t memory) {
  for (const bool build_right : {true, false}) {
    const PlanPtr plan = Join(left, right, on, kind, build_right);
    const Outcome expected = RunIn(plan, kPlenty, 2);
    EXPECT_EQ(expected.bytes_spilled, 0);
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(std::string(frame::JoinKindName(kind)) + (build_right ? ", hashes the right" : ", hashes the left") +
                   ", threads " + std::to_string(threads));
      const Outcome outcome = RunIn(plan, memory, threads);
      EXPECT_TRUE(outcome.rows == expected.rows);
      EXPECT_EQ(outcome.left_unmatched, expected.left_unmatched);
      EXPECT_EQ(outcome.right_unmatched, expected.right_unmatched);
      EXPECT_EQ(outcome.rows_out, expected.rows_out);
      EXPECT_GT(outcome.bytes_spilled, 0);
    }
  }
}

TEST(JoinSpill, GivesTheRowsOfEveryKindThatMemoryGives) {
  const PlanPtr left = ScanOf({RandomTable(1, 6000, 3000)}, false, 700);
  const PlanPtr right = ScanOf({RandomTable(2, 5000, 3000, "r")}, false, 500);
  for (const JoinKind kind : kKeyed) {
    ExpectSame(left, right, {{"k", "rk"}}, kind, 1 << 18);  // some parts stay in memory
    ExpectSame(left, right, {{"k", "rk"}}, kind, 1 << 14);  // none does, and pieces are cut again
  }
}

TEST(JoinSpill, TakesSeveralKeysAndLongText) {
  const PlanPtr left = ScanOf({RandomTable(3, 6000, 900)}, false, 400);
  const PlanPtr right = ScanOf({RandomTable(4, 5000, 900, "r")}, false, 300);
  for (const JoinKind kind : kKeyed) {
    ExpectSame(left, right, {{"k", "rk"}, {"t", "rt"}}, kind, 1 << 18);
    ExpectSame(left, right, {{"k", "rk"}, {"t", "rt"}}, kind, 1 << 14);
  }
}

// `rows` rows of which 9 in 10 have one key, and every hundredth a null.
BatchPtr OneHeavyKey(int rows, const std::string& prefix) {
  arrow::Int64Builder key, value;
  for (int i = 0; i < rows; ++i) {
    (void)(i % 100 == 99 ? key.AppendNull() : key.Append(i % 10 == 0 ? i : 7));
    (void)value.Append(i);
  }
  auto schema = arrow::schema({arrow::field(prefix + "k", arrow::int64()), arrow::field(prefix + "v", arrow::int64())});
  return arrow::RecordBatch::Make(schema, rows, {key.Finish().ValueOrDie(), value.Finish().ValueOrDie()});
}

TEST(JoinSpill, JoinsAKeyThatNoCutMakesSmaller) {
  const PlanPtr many = ScanOf({OneHeavyKey(4000, "")}, false, 500);
  const PlanPtr few = ScanOf({OneHeavyKey(40, "r")}, false, 7);
  for (const JoinKind kind : kKeyed) {
    const PlanPtr plan = Join(few, many, {{"rk", "k"}}, kind, true);
    const Outcome expected = RunIn(plan, kPlenty, 2);
    const Outcome outcome = RunIn(plan, 1 << 14, 2);
    EXPECT_GT(outcome.bytes_spilled, 0);
    EXPECT_TRUE(outcome.rows == expected.rows) << frame::JoinKindName(kind);
    EXPECT_EQ(outcome.left_unmatched, expected.left_unmatched) << frame::JoinKindName(kind);
    EXPECT_EQ(outcome.right_unmatched, expected.right_unmatched) << frame::JoinKindName(kind);
  }
}

TEST(JoinSpill, CrossesWhatDoesNotFit) {
  const PlanPtr left = ScanOf({OneHeavyKey(30, "")}, false, 10);
  const PlanPtr right = ScanOf({OneHeavyKey(6000, "r")}, false, 500);
  const PlanPtr plan = Join(left, right, {}, JoinKind::kCross, true);
  const Outcome outcome = RunIn(plan, 1 << 14, 2);
  EXPECT_GT(outcome.bytes_spilled, 0);
  EXPECT_EQ(outcome.rows, RunIn(plan, kPlenty, 2).rows);
}

TEST(JoinSpill, TakesEmptySides) {
  const PlanPtr empty = ScanOf({BatchOf({{"k", "int64", "[]"}, {"e", "string", "[]"}})});
  const PlanPtr full = ScanOf({RandomTable(5, 5000, 900, "r")}, false, 300);
  for (const JoinKind kind : kKeyed) {
    const PlanPtr hashed = Join(empty, full, {{"k", "rk"}}, kind, true);
    const Outcome outcome = RunIn(hashed, 1 << 14, 2);
    EXPECT_GT(outcome.bytes_spilled, 0);
    EXPECT_EQ(outcome.rows, RunIn(hashed, kPlenty, 2).rows) << frame::JoinKindName(kind);
    EXPECT_EQ(outcome.right_unmatched, 5000) << frame::JoinKindName(kind);
    const PlanPtr probed = Join(full, empty, {{"rk", "k"}}, kind, true);
    EXPECT_EQ(RunIn(probed, 1 << 14, 2).rows, RunIn(probed, kPlenty, 2).rows) << frame::JoinKindName(kind);
  }
}

TEST(JoinSpill, KeepsTheOrderThatMemoryGives) {
  const PlanPtr left = ScanOf({RandomTable(10, 5000, 900)}, true, 300);
  const PlanPtr right = ScanOf({RandomTable(11, 3000, 900, "r")}, true, 200);
  for (const JoinKind kind : kKeyed) {
    const PlanPtr plan = Join(left, right, {{"k", "rk"}}, kind, true);
    const Outcome expected = RunIn(plan, kPlenty, 2, false);
    for (const int threads : {1, 3}) {
      const Outcome outcome = RunIn(plan, 1 << 15, threads, false);
      EXPECT_GT(outcome.bytes_spilled, 0);
      EXPECT_TRUE(outcome.rows == expected.rows) << frame::JoinKindName(kind) << ", threads " << threads;
      EXPECT_EQ(outcome.left_unmatched, expected.left_unmatched);
      EXPECT_EQ(outcome.right_unmatched, expected.right_unmatched);
    }
  }
}

TEST(JoinSpill, GivesADistinctBehindItTheSameFirstRows) {
  const PlanPtr left = ScanOf({RandomTable(12, 5000, 900)}, false, 300);
  const PlanPtr right = ScanOf({RandomTable(13, 3000, 900, "r")}, false, 200);
  for (const bool build_right : {true, false}) {
    const PlanPtr join = Join(left, right, {{"k", "rk"}}, JoinKind::kFull, build_right);
    const PlanPtr plan = MUTIRAO_MUST(frame::MakeDistinct(join, {"t"}));
    EXPECT_EQ(RunIn(plan, 1 << 15, 3).rows, RunIn(plan, kPlenty, 2).rows);
  }
}

TEST(JoinSpill, EndsSoonWhenStopped) {
  const PlanPtr left = ScanOf({RandomTable(6, 4000, 5000)}, false, 1000, {.endless = true});
  const PlanPtr right = ScanOf({RandomTable(7, 60000, 5000, "r")}, false, 1000);
  for (const bool build_right : {true, false}) {
    ExecuteOptions options = testing::Threads(2);
    options.memory = 1 << 16;
    testing::ExpectSoonStopped(Join(left, right, {{"k", "rk"}}, JoinKind::kInner, build_right), options);
  }
}

TEST(JoinSpill, SaysWhenTheFolderCannotBeWritten) {
  const PlanPtr left = ScanOf({RandomTable(8, 5000, 900)}, false, 300);
  const PlanPtr right = ScanOf({RandomTable(9, 5000, 900, "r")}, false, 300);
  ExecuteOptions options = testing::Threads(2);
  options.memory = 1 << 14;
  options.spill_dir = "/proc/no-such-folder";
  const auto outcome = Collect(Join(left, right, {{"k", "rk"}}, JoinKind::kInner, true), options);
  ASSERT_FALSE(outcome.ok());
  EXPECT_NE(outcome.status().ToString().find("/proc/no-such-folder"), std::string::npos);
}

}  // namespace
}  // namespace mutirao::engine
