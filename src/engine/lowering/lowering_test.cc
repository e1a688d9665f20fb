#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "engine/exchange/exchange_file.h"
#include "engine/exchange/exchange_source.h"
#include "engine/lowering/fragment.h"
#include "engine/operators/kept_tables.h"
#include "engine/stage.h"
#include "engine/testing/engine_fixture.h"
#include "storage/storage.h"

namespace mutirao::engine {
namespace {

using testing::E;
using testing::MemorySink;
using testing::MemoryTables;
using testing::PlanPtr;
using testing::RandomTable;
using testing::ScanOf;

PlanPtr WriteTo(const PlanPtr& input, const std::string& name) {
  MemoryTables::Get().Put(name, {});
  return MUTIRAO_MUST(frame::MakeWrite(input, std::make_shared<MemorySink>(name, input->schema())));
}

frame::FormatRegistry Registry() {
  frame::FormatRegistry registry;
  testing::RegisterMemory(registry);
  RegisterExchange(registry);
  return registry;
}

struct Staged {
  std::vector<Stage> stages;
  StagedResult result;
};

class Lowering : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("mutirao-lowering-" + std::to_string(getpid()) + "-" +
                                                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<Stage> LowerWrites(const std::vector<PlanPtr>& writes, int slots = 2) {
    LoweringOptions options;
    options.slots = slots;
    options.target_task_bytes = 4000;
    options.partitions = 3;
    options.threads_per_task = 2;
    options.exchange_dir = folder_;
    return MUTIRAO_MUST(Lower(writes, Staging(writes.size(), "staging"), options));
  }

  // Every document goes through text, as it does between processes. `tables`: what tasks of one process share.
  Staged RunStaged(const std::vector<PlanPtr>& writes, KeptTables* tables = nullptr) {
    Staged staged{LowerWrites(writes), {}};
    const auto registry = Registry();
    staged.result = MUTIRAO_MUST(RunStages(staged.stages, writes, 2, [&](const Json& task) -> Result<Json> {
      Json parsed = MUTIRAO_TRY(ParseJson(task.dump()));
      Json result = MUTIRAO_TRY(RunTask(parsed, registry, {.kept_tables = tables}));
      return ParseJson(result.dump());
    }));
    return staged;
  }

  // The same rows and the same counts as Execute, whether tasks share tables or not.
  void ExpectSameAsExecute(const PlanPtr& plan, bool counts_agree = true) {
    KeptTables tables;
    for (KeptTables* shared : {static_cast<KeptTables*>(nullptr), &tables}) ExpectSame(plan, counts_agree, shared);
  }
  void ExpectSame(const PlanPtr& plan, bool counts_agree, KeptTables* tables) {
    const PlanPtr write = WriteTo(plan, "whole");
    auto whole = MUTIRAO_MUST(Execute({write}, {"staging"}, testing::Threads(2)));
    const auto want = testing::RowsOf(MemoryTables::Get().Find("whole"));
    MemoryTables::Get().Put("whole", {});
    const Staged staged = RunStaged({write}, tables);
    EXPECT_EQ(testing::RowsOf(MemoryTables::Get().Find("whole")), want);
    if (!counts_agree) return;
    ASSERT_EQ(staged.result.report.nodes.size(), whole.nodes.size());
    for (size_t i = 0; i < whole.nodes.size(); ++i) {
      const NodeReport& x = whole.nodes[i];
      const NodeReport& y = staged.result.report.nodes[i];
      const auto kind = frame::NodeKindName(x.node->kind());
      EXPECT_EQ(x.node, y.node);
      EXPECT_EQ(x.rows_in, y.rows_in) << kind;
      EXPECT_EQ(x.rows_out, y.rows_out) << kind;
      EXPECT_EQ(x.rows_read, y.rows_read) << kind;
      EXPECT_EQ(x.rows_right, y.rows_right) << kind;
      EXPECT_EQ(x.left_unmatched, y.left_unmatched) << kind;
      EXPECT_EQ(x.right_unmatched, y.right_unmatched) << kind;
    }
  }

  // A join that is told how to be spread.
  static PlanPtr Spread(const PlanPtr& join, frame::JoinStrategy strategy, bool build_right) {
    const auto& node = static_cast<const frame::JoinNode&>(*join);
    auto spec = node.spec;
    spec.strategy = strategy;
    spec.build_right = build_right;
    return MUTIRAO_MUST(frame::MakeJoin(node.left(), node.right(), spec));
  }

  // How the only join of a lowered plan is spread.
  static frame::JoinNode::Spec SpreadOf(const std::vector<Stage>& stages) {
    for (const Stage& stage : stages) {
      for (const frame::PlanNode* node : NodesOf(stage.roots)) {
        if (node->kind() == frame::NodeKind::kJoin) return static_cast<const frame::JoinNode*>(node)->spec;
      }
    }
    return {};
  }

  PlanPtr Left() { return ScanOf({RandomTable(1, 5000, 300)}, false, 200); }
  PlanPtr Right() { return ScanOf({RandomTable(2, 900, 300, "r")}, false, 100); }

  std::string folder_;
};

TEST_F(Lowering, RunsStreamingPlansAsMapTasksOnly) {
  const PlanPtr filter = MUTIRAO_MUST(frame::MakeFilter(Left(), E("v > 0")));
  const auto stages = LowerWrites({WriteTo(MUTIRAO_MUST(frame::MakeDerive(filter, {{"w", E("v + 1")}})), "x")});
  ASSERT_EQ(stages.size(), 1u);
  EXPECT_GT(stages[0].tasks.size(), 3u);
  ExpectSameAsExecute(MUTIRAO_MUST(frame::MakeDerive(filter, {{"w", E("v + 1")}})));
}

TEST_F(Lowering, JoinsOfEveryKindAgreeWithExecute) {
  for (const auto kind : {frame::JoinKind::kInner, frame::JoinKind::kLeft, frame::JoinKind::kRight,
                          frame::JoinKind::kFull, frame::JoinKind::kSemi, frame::JoinKind::kAnti}) {
    SCOPED_TRACE(frame::JoinKindName(kind));
    const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(Left(), Right(), {{"k", "rk"}, {"t", "rt"}}, kind));
    ExpectSameAsExecute(join);
    for (const bool build_right : {true, false}) {
      SCOPED_TRACE(build_right ? "hash the right" : "hash the left");
      ExpectSameAsExecute(Spread(join, frame::JoinStrategy::kPartitioned, build_right));
      ExpectSameAsExecute(Spread(join, frame::JoinStrategy::kBroadcast, build_right));
    }
  }
}

TEST_F(Lowering, BroadcastJoinsAgreeWithExecute) {
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(Left(), Right(), {{"k", "rk"}}, frame::JoinKind::kLeft));
  const PlanPtr broadcast = Spread(join, frame::JoinStrategy::kBroadcast, true);
  ExpectSameAsExecute(broadcast);
  const Staged staged = RunStaged({WriteTo(broadcast, "x")});
  EXPECT_EQ(staged.stages.size(), 2u);
  EXPECT_GT(staged.stages[1].tasks.size(), 1u);
  EXPECT_EQ(staged.result.report.nodes[2].rows_right, 900);
  const PlanPtr few = MUTIRAO_MUST(frame::MakeLimit(Right(), 3));
  ExpectSameAsExecute(
      MUTIRAO_MUST(frame::MakeAggregate(MUTIRAO_MUST(frame::MakeJoin(Left(), few, {}, frame::JoinKind::kCross)), {},
                                        {{"n", E("count()")}})),
      false);
}

TEST_F(Lowering, ATableIsBuiltOnceForAllTasksOfAProcess) {
  const PlanPtr join = Spread(MUTIRAO_MUST(frame::MakeJoin(Left(), Right(), {{"k", "rk"}}, frame::JoinKind::kLeft)),
                              frame::JoinStrategy::kBroadcast, true);
  const PlanPtr write = WriteTo(join, "x");
  const auto registry = Registry();
  KeptTables tables;
  int reading = 0, joining = 0;
  const auto result = MUTIRAO_MUST(RunStages(LowerWrites({write}), {write}, 1, [&](const Json& task) -> Result<Json> {
    Json done = MUTIRAO_TRY(RunTask(task, registry, {.kept_tables = &tables}));
    if (!task.contains("partners")) return done;
    const auto node = task["partners"][0]["node"].get<size_t>();
    EXPECT_GT(done["nodes"][node]["rows_right"], 0);
    ++joining;
    // The table's rows come from the node before.
    reading += done["nodes"][node - 1]["rows_out"] > 0 ? 1 : 0;
    return done;
  }));
  EXPECT_GT(joining, 2);
  EXPECT_EQ(reading, 1);
  EXPECT_EQ(testing::RowsOf(MemoryTables::Get().Find("x")), testing::Rows(join));
}

TEST_F(Lowering, ABroadcastInAUnionIsCountedOnce) {
  for (const auto kind : {frame::JoinKind::kInner, frame::JoinKind::kLeft}) {
    const PlanPtr join = Spread(MUTIRAO_MUST(frame::MakeJoin(Left(), Right(), {{"k", "rk"}}, kind)),
                                frame::JoinStrategy::kBroadcast, true);
    const PlanPtr some = MUTIRAO_MUST(frame::MakeProject(join, {{"v", E("v")}}));
    const PlanPtr others =
        MUTIRAO_MUST(frame::MakeProject(ScanOf({RandomTable(3, 3000, 300)}, false, 100), {{"v", E("v")}}));
    ExpectSameAsExecute(MUTIRAO_MUST(frame::MakeUnion({some, others})));
  }
}

TEST_F(Lowering, ALimitThatIsFullLeavesPartnersUnknown) {
  const PlanPtr join = Spread(MUTIRAO_MUST(frame::MakeJoin(Left(), Right(), {{"k", "rk"}}, frame::JoinKind::kInner)),
                              frame::JoinStrategy::kBroadcast, true);
  const PlanPtr write = WriteTo(MUTIRAO_MUST(frame::MakeLimit(join, 10)), "x");
  const Staged staged = RunStaged({write});
  EXPECT_EQ(testing::RowsOf(MemoryTables::Get().Find("x")).size(), 10u);
  for (const NodeReport& node : staged.result.report.nodes) {
    if (node.node != join.get()) continue;
    EXPECT_EQ(node.right_unmatched, -1);
  }
}

TEST_F(Lowering, AnOrderThatManyTasksHaveIsNone) {
  const PlanPtr ordered = ScanOf({RandomTable(2, 300, 300, "r")}, true, 100);
  const PlanPtr join =
      MUTIRAO_MUST(frame::MakeJoin(Left(), ordered, {{"k", "rk"}, {"t", "rt"}}, frame::JoinKind::kInner));
  const PlanPtr first = Spread(join, frame::JoinStrategy::kPartitioned, false);
  const PlanPtr other = ScanOf({RandomTable(4, 4000, 300, "s")}, false, 200);
  ExpectSameAsExecute(
      Spread(MUTIRAO_MUST(frame::MakeJoin(first, other, {{"k", "sk"}, {"t", "st"}}, frame::JoinKind::kInner)),
             frame::JoinStrategy::kBroadcast, false));
}

TEST_F(Lowering, ATableThatWentToDiskLeavesUnmatchedRowsUnknown) {
  const PlanPtr join = Spread(MUTIRAO_MUST(frame::MakeJoin(Left(), Right(), {{"k", "rk"}}, frame::JoinKind::kInner)),
                              frame::JoinStrategy::kBroadcast, true);
  const PlanPtr write = WriteTo(join, "x");
  const auto registry = Registry();
  const auto result = MUTIRAO_MUST(RunStages(LowerWrites({write}), {write}, 2, [&](const Json& task) {
    return RunTask(task, registry, {.memory = 1, .spill_dir = folder_});
  }));
  EXPECT_EQ(result.report.nodes[2].right_unmatched, -1);
  EXPECT_EQ(testing::RowsOf(MemoryTables::Get().Find("x")), testing::Rows(join));
}

TEST_F(Lowering, ASmallSideIsReadByEveryTask) {
  const testing::MemoryBehaviour sized{.counts_bytes = true};
  const PlanPtr large = ScanOf({RandomTable(1, 5000, 300)}, false, 200, sized);
  const PlanPtr small = ScanOf({RandomTable(2, 100, 300, "r")}, false, 50, sized);
  const auto join = [&](const PlanPtr& left, const PlanPtr& right, frame::JoinKind kind) {
    const std::string prefix = right->schema()->GetFieldIndex("rk") >= 0 ? "r" : "";
    const std::string key = left->schema()->GetFieldIndex("rk") >= 0 ? "rk" : "k";
    return MUTIRAO_MUST(frame::MakeJoin(left, right, {{key, prefix + "k"}}, kind));
  };
  const auto spread = [&](const PlanPtr& plan, int slots) {
    ExpectSameAsExecute(plan);
    return SpreadOf(LowerWrites({WriteTo(plan, "x")}, slots));
  };
  using frame::JoinKind;
  using frame::JoinStrategy;
  for (const JoinKind kind : {JoinKind::kInner, JoinKind::kLeft, JoinKind::kSemi, JoinKind::kAnti}) {
    const auto spec = spread(join(large, small, kind), 8);
    EXPECT_EQ(spec.strategy, JoinStrategy::kBroadcast) << frame::JoinKindName(kind);
    EXPECT_TRUE(spec.build_right);
  }
  EXPECT_EQ(spread(join(large, small, JoinKind::kFull), 8).strategy, JoinStrategy::kPartitioned);
  EXPECT_EQ(spread(join(large, small, JoinKind::kRight), 8).strategy, JoinStrategy::kPartitioned);
  EXPECT_FALSE(spread(join(small, large, JoinKind::kRight), 8).build_right);
  EXPECT_EQ(spread(join(small, large, JoinKind::kLeft), 8).strategy, JoinStrategy::kPartitioned);
  const PlanPtr other = ScanOf({RandomTable(3, 5000, 300, "r")}, false, 200, sized);
  EXPECT_EQ(spread(join(large, other, JoinKind::kInner), 8).strategy, JoinStrategy::kPartitioned);
}

TEST_F(Lowering, AJoinKeepsTheOrderOfItsLeftSide) {
  const PlanPtr sorted = MUTIRAO_MUST(frame::MakeSort(Left(), {{"v", false}}));
  for (const auto kind : {frame::JoinKind::kLeft, frame::JoinKind::kInner}) {
    const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(sorted, Right(), {{"k", "rk"}}, kind));
    // Partners of one row come in any order, so what they are cannot be compared where the limit cuts.
    const PlanPtr first = MUTIRAO_MUST(frame::MakeLimit(MUTIRAO_MUST(frame::MakeProject(join, {{"v", E("v")}})), 100));
    ExpectSameAsExecute(first, false);
  }
}

TEST_F(Lowering, AggregatesDistinctAndSortAgreeWithExecute) {
  ExpectSameAsExecute(MUTIRAO_MUST(
      frame::MakeAggregate(Left(), {{"k", E("k")}}, {{"n", E("count()")}, {"s", E("sum(v)")}, {"m", E("median(v)")}})));
  ExpectSameAsExecute(
      MUTIRAO_MUST(frame::MakeAggregate(Left(), {}, {{"n", E("count()")}, {"c", E("count_distinct(t)")}})));
  ExpectSameAsExecute(MUTIRAO_MUST(frame::MakeDistinct(Left(), {})));
  ExpectSameAsExecute(MUTIRAO_MUST(frame::MakeSort(Left(), {{"v", true}})));
}

TEST_F(Lowering, WritesASortedFrameInOrder) {
  const PlanPtr write = WriteTo(MUTIRAO_MUST(frame::MakeSort(Left(), {{"v", true}})), "sorted");
  RunStaged({write});
  std::vector<std::string> keys;
  auto batches = MemoryTables::Get().Find("sorted");
  int64_t last = INT64_MAX;
  int64_t rows = 0;
  for (const BatchPtr& batch : batches) {
    const auto& v = static_cast<const arrow::Int64Array&>(*batch->column(2));
    for (int64_t row = 0; row < v.length(); ++row, ++rows) {
      const int64_t value = v.IsNull(row) ? INT64_MIN : v.Value(row);
      ASSERT_LE(value, last);
      last = value;
    }
  }
  EXPECT_EQ(rows, 5000);
}

TEST_F(Lowering, UnionsAndSharedFramesReadEachRowOnce) {
  const PlanPtr table = Left();
  const PlanPtr positive = MUTIRAO_MUST(frame::MakeFilter(table, E("v > 0")));
  const PlanPtr total = MUTIRAO_MUST(frame::MakeAggregate(table, {}, {{"v", E("sum(v)")}}));
  const PlanPtr some = MUTIRAO_MUST(frame::MakeProject(positive, {{"v", E("v")}}));
  const PlanPtr both = MUTIRAO_MUST(frame::MakeUnion({some, total, some}));
  ExpectSameAsExecute(both);
  const PlanPtr self = MUTIRAO_MUST(frame::MakeJoin(table, positive, {{"k", "k"}}, frame::JoinKind::kSemi));
  ExpectSameAsExecute(self);
}

TEST_F(Lowering, LimitsAreExact) {
  const PlanPtr write = WriteTo(MUTIRAO_MUST(frame::MakeLimit(Left(), 777)), "limited");
  const Staged staged = RunStaged({write});
  EXPECT_EQ(testing::RowsOf(MemoryTables::Get().Find("limited")).size(), 777u);
  EXPECT_EQ(staged.result.report.nodes[1].rows_out, 777);
}

TEST_F(Lowering, SeveralWritesOfOneFrameShareTheirTasks) {
  const PlanPtr frame = MUTIRAO_MUST(frame::MakeFilter(Left(), E("v > 0")));
  const Staged staged = RunStaged({WriteTo(frame, "first"), WriteTo(frame, "second")});
  EXPECT_EQ(staged.stages.size(), 1u);
  EXPECT_EQ(testing::RowsOf(MemoryTables::Get().Find("first")), testing::RowsOf(MemoryTables::Get().Find("second")));
  ASSERT_EQ(staged.result.parts.size(), 2u);
  EXPECT_EQ(staged.result.parts[0].size(), staged.stages[0].tasks.size());
}

TEST_F(Lowering, StopsWhenATaskFails) {
  const PlanPtr write = WriteTo(MUTIRAO_MUST(frame::MakeProject(Left(), {{"n", E("cast(t as int64)")}})), "x");
  const auto registry = Registry();
  auto result =
      RunStages(LowerWrites({write}), {write}, 2, [&](const Json& task) { return RunTask(task, registry, {}); });
  EXPECT_EQ(result.status().code(), StatusCode::kInvalid);
  EXPECT_NE(result.status().ToString().find("stage 0 task"), std::string::npos);
}

TEST_F(Lowering, RefusesWrongTaskDocuments) {
  const auto registry = Registry();
  const auto stages = LowerWrites({WriteTo(MUTIRAO_MUST(frame::MakeDistinct(Left(), {})), "x")});
  const Json good = stages[0].tasks[0];
  ASSERT_TRUE(RunTask(good, registry, {}).ok());
  for (const char* key :
       {"version", "run", "stage", "task", "attempt", "plan", "scans", "staging", "limits", "base_dir"}) {
    Json bad = good;
    bad.erase(key);
    EXPECT_EQ(RunTask(bad, registry, {}).status().code(), StatusCode::kInvalid) << key;
    bad[key] = Json::array({Json::object()});
    EXPECT_EQ(RunTask(bad, registry, {}).status().code(), StatusCode::kInvalid) << key;
  }
  Json newer = good;
  newer["version"] = 2;
  EXPECT_EQ(RunTask(newer, registry, {}).status().code(), StatusCode::kUnsupported);
}

TEST_F(Lowering, DocumentsRunInOrderAsTheyAreWhenEveryFirstAttemptSucceeds) {
  const auto registry = Registry();
  MemoryTables::Get().Put("plain", {});
  for (const Stage& stage : LowerWrites({WriteTo(MUTIRAO_MUST(frame::MakeDistinct(Left(), {})), "plain")})) {
    for (const Json& task : stage.tasks) ASSERT_TRUE(RunTask(task, registry, {}).ok());
  }
  EXPECT_EQ(testing::RowsOf(MemoryTables::Get().Find("plain")),
            testing::Rows(MUTIRAO_MUST(frame::MakeDistinct(Left(), {}))));
}

TEST_F(Lowering, ReadsTheAcceptedAttempt) {
  const auto registry = Registry();
  const PlanPtr write = WriteTo(MUTIRAO_MUST(frame::MakeDistinct(Left(), {})), "retried");
  MemoryTables::Get().Put("retried", {});
  auto result = RunStages(LowerWrites({write}), {write}, 2, [&](const Json& task) -> Result<Json> {
    // The file of the first attempt would be found if it were looked for, but is empty.
    if (task["stage"] != 0) return RunTask(task, registry, {});
    Json first = MUTIRAO_TRY(RunTask(task, registry, {}));
    const std::string file = first["outputs"][0]["staging"].get<std::string>() + "/" +
                             first["outputs"][0]["parts"][0]["path"].get<std::string>();
    std::filesystem::resize_file(file, 0);
    return RunTask(WithAttempt(task, 1), registry, {});
  });
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(testing::RowsOf(MemoryTables::Get().Find("retried")),
            testing::Rows(MUTIRAO_MUST(frame::MakeDistinct(Left(), {}))));
}

TEST_F(Lowering, AttemptsWriteFilesOfTheirOwn) {
  const auto registry = Registry();
  const auto stages = LowerWrites({WriteTo(MUTIRAO_MUST(frame::MakeDistinct(Left(), {})), "x")});
  auto first = MUTIRAO_MUST(RunTask(stages[0].tasks[0], registry, {}));
  auto second = MUTIRAO_MUST(RunTask(WithAttempt(stages[0].tasks[0], 1), registry, {}));
  EXPECT_NE(first["outputs"][0]["parts"][0]["path"], second["outputs"][0]["parts"][0]["path"]);
}

TEST_F(Lowering, ACutExchangeFileIsRefused) {
  const auto registry = Registry();
  const auto stages = LowerWrites({WriteTo(MUTIRAO_MUST(frame::MakeDistinct(Left(), {})), "x")});
  auto result = MUTIRAO_MUST(RunTask(stages[0].tasks[0], registry, {}));
  const std::string file = result["outputs"][0]["staging"].get<std::string>() + "/" +
                           result["outputs"][0]["parts"][0]["path"].get<std::string>();
  const auto size = std::filesystem::file_size(file);
  const storage::Store* store = MUTIRAO_MUST(storage::StoreFor(file));
  auto index = MUTIRAO_MUST(ExchangeIndex::Read(*MUTIRAO_MUST(store->Open(file))));
  EXPECT_EQ(index.buckets.size(), 3u);
  for (const uintmax_t keep : {size - 1, size - 9, size / 2, uintmax_t{3}}) {
    std::filesystem::resize_file(file, keep);
    auto object = MUTIRAO_MUST(store->Open(file));
    EXPECT_EQ(ExchangeIndex::Read(*object).status().code(), StatusCode::kInvalid) << keep;
  }
}

}  // namespace
}  // namespace mutirao::engine
