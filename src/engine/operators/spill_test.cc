#include <filesystem>

#include "base/id.h"
#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using testing::PlanPtr;
using testing::RandomTable;
using testing::ScanOf;

// Small enough that every breaker of the plans below sets most of its rows aside, some of them several times.
constexpr int64_t kTight = int64_t{1} << 20;

struct Folder {
  const std::string path = ::testing::TempDir() + "spill_" + RandomHex(8);
  ~Folder() { std::filesystem::remove_all(path); }
};

// Rows of a plan with plenty of memory and with little must be the same.
void ExpectSameUnderPressure(const PlanPtr& plan, bool sorted, int64_t memory = kTight) {
  const Folder folder;
  auto plenty = Collect(plan, testing::Threads(2));
  ASSERT_TRUE(plenty.ok()) << plenty.status().ToString();
  const auto want = testing::RowsOf(*plenty, sorted);
  for (const int threads : {1, 3}) {
    ExecuteOptions options = testing::Threads(threads);
    options.memory = memory;
    options.spill_dir = folder.path;
    ExecutionReport report;
    auto tight = Collect(plan, options, &report);
    ASSERT_TRUE(tight.ok()) << tight.status().ToString();
    for (const BatchPtr& batch : *tight) ASSERT_TRUE(batch->ValidateFull().ok());
    EXPECT_TRUE(testing::RowsOf(*tight, sorted) == want) << threads << " threads";
    EXPECT_GT(report.bytes_spilled, 0) << threads << " threads";
    EXPECT_EQ(report.memory, memory);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path));
  }
}

PlanPtr Input(uint64_t seed, int64_t rows, int64_t keys, bool ordered = true) {
  return ScanOf({RandomTable(seed, rows, keys)}, ordered, 700);
}

PlanPtr Aggregate(const PlanPtr& input, const std::vector<std::string>& by, const std::vector<std::string>& with) {
  std::vector<frame::NamedExpr> keys, values;
  for (const std::string& name : by) keys.push_back({name, testing::E(name)});
  for (const std::string& text : with) values.push_back({"a" + std::to_string(values.size()), testing::E(text)});
  return MUTIRAO_MUST(frame::MakeAggregate(input, keys, values));
}

// Many long texts, most of them different, and a few that many rows have.
PlanPtr LongTexts(int64_t rows) {
  std::mt19937_64 random(5);
  arrow::StringBuilder text;
  arrow::Int64Builder number;
  for (int64_t i = 0; i < rows; ++i) {
    const uint64_t pick = random() % 3 == 0 ? random() % 5 : random() % static_cast<uint64_t>(rows);
    (void)(random() % 17 == 0 ? text.AppendNull()
                              : text.Append(std::string(pick % 200, 'y') + std::to_string(pick) + "z"));
    (void)number.Append(static_cast<int64_t>(random() % 1000));
  }
  return ScanOf(
      {arrow::RecordBatch::Make(arrow::schema({arrow::field("t", arrow::utf8()), arrow::field("n", arrow::int64())}),
                                rows, {text.Finish().ValueOrDie(), number.Finish().ValueOrDie()})},
      true, 900);
}

TEST(Spill, SortsOnDisk) {
  ExpectSameUnderPressure(MUTIRAO_MUST(frame::MakeSort(Input(1, 60000, 30000), {{"k", false}, {"t", true}})), false);
  // Rows of equal keys stay in the order of the input, whichever run they are in.
  ExpectSameUnderPressure(MUTIRAO_MUST(frame::MakeSort(Input(2, 60000, 3), {{"k", true}})), false);
  ExpectSameUnderPressure(MUTIRAO_MUST(frame::MakeSort(LongTexts(20000), {{"t", true}, {"n", false}})), false);
}

TEST(Spill, SortsOnDiskInSeveralPasses) {
  ExpectSameUnderPressure(MUTIRAO_MUST(frame::MakeSort(Input(3, 60000, 30000), {{"v", false}})), false, 1 << 16);
}

TEST(Spill, SortsWithALimitThatDoesNotFit) {
  const PlanPtr sort = MUTIRAO_MUST(frame::MakeSort(Input(4, 60000, 30000), {{"d", false}, {"k", false}}));
  ExpectSameUnderPressure(MUTIRAO_MUST(frame::MakeLimit(sort, 40000)), false);
}

TEST(Spill, AggregatesOnDiskByEveryFunction) {
  ExpectSameUnderPressure(
      Aggregate(Input(5, 60000, 40000), {"k"},
                {"count()", "count(v)", "sum(v)", "avg(v)", "min(t)", "max(d)", "first(v)", "last(t)", "any_value(v)"}),
      true);
  ExpectSameUnderPressure(Aggregate(LongTexts(20000), {"t"}, {"count()", "sum(n)", "max(t)", "last(n)"}), true);
}

TEST(Spill, AggregatesOnDiskWhatCollectsRows) {
  ExpectSameUnderPressure(Aggregate(Input(6, 50000, 20000), {"k"},
                                    {"median(v)", "count_distinct(v)", "list(v)", "count_distinct(t)",
                                     "approx_count_distinct(v)", "first(t)"}),
                          true);
}

TEST(Spill, AggregatesOnDiskWithSkewedKeys) {
  // Half of the rows are of one group.
  const PlanPtr project = MUTIRAO_MUST(frame::MakeProject(
      Input(7, 50000, 50000), {{"k", testing::E("case when v < 0 then 7 else k end")}, {"v", testing::E("v")}}));
  ExpectSameUnderPressure(Aggregate(project, {"k"}, {"count()", "sum(v)", "count_distinct(v)", "list(v)"}), true);
}

TEST(Spill, LimitsAnOrderedInputOnDisk) {
  const PlanPtr filter = MUTIRAO_MUST(frame::MakeFilter(Input(15, 60000, 60000), testing::E("v is not null")));
  ExpectSameUnderPressure(MUTIRAO_MUST(frame::MakeLimit(filter, 50000)), false);
}

// What one group collects cannot be set aside: a run that would take far more than the budget ends instead.
TEST(Spill, RefusesToCollectMoreOfOneGroupThanThereIsRoom) {
  const PlanPtr input = ScanOf({RandomTable(16, 60000, 60000)}, false, 700, {.endless = true});
  const PlanPtr grouped =
      MUTIRAO_MUST(frame::MakeProject(input, {{"k", testing::E("1")}, {"v", testing::E("v")}, {"t", testing::E("t")}}));
  ExecuteOptions options = testing::Threads(8);
  options.memory = kTight;
  for (const PlanPtr& plan : {Aggregate(input, {}, {"list(t)"}), Aggregate(input, {}, {"median(v)"})}) {
    const Status status = Collect(plan, options).status();
    EXPECT_EQ(status.code(), StatusCode::kExhausted) << status.ToString();
    EXPECT_NE(status.help().find("--memory"), std::string::npos) << status.help();
  }
  const PlanPtr finite = MUTIRAO_MUST(frame::MakeLimit(grouped, 500000));
  EXPECT_EQ(Collect(Aggregate(finite, {"k"}, {"list(t)"}), options).status().code(), StatusCode::kExhausted);
}

TEST(Spill, RefusesASampleThatDoesNotFit) {
  ExecuteOptions options = testing::Threads(2);
  options.memory = kTight;
  const PlanPtr input = Input(17, 60000, 60000);
  const Status status = Collect(MUTIRAO_MUST(frame::MakeSample(input, std::nullopt, 50000, 7)), options).status();
  EXPECT_EQ(status.code(), StatusCode::kExhausted) << status.ToString();
  EXPECT_NE(status.help().find("--memory"), std::string::npos) << status.help();
  // Few of many rows fit, whatever was copied on the way.
  EXPECT_TRUE(Collect(MUTIRAO_MUST(frame::MakeSample(input, std::nullopt, 500, 7)), options).ok());
}

TEST(Spill, KeepsFewGroupsInMemory) {
  const PlanPtr plan = Aggregate(Input(8, 60000, 20), {"k"}, {"count()", "sum(v)"});
  ExecuteOptions options = testing::Threads(2);
  options.memory = kTight;
  ExecutionReport report;
  auto rows = Collect(plan, options, &report);
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(report.bytes_spilled, 0);
  EXPECT_GT(report.memory_peak, 0);
}

TEST(Spill, FindsDistinctRowsOnDisk) {
  ExpectSameUnderPressure(MUTIRAO_MUST(frame::MakeDistinct(Input(9, 60000, 40000), {"k"})), false);
  ExpectSameUnderPressure(MUTIRAO_MUST(frame::MakeDistinct(Input(10, 60000, 40000, false), {})), true);
  ExpectSameUnderPressure(MUTIRAO_MUST(frame::MakeDistinct(LongTexts(20000), {"t"})), false);
}

TEST(Spill, KeepsSharedRowsOnDisk) {
  // Both sides of the join read the same rows, one after the other.
  const PlanPtr shared = MUTIRAO_MUST(frame::MakeFilter(Input(11, 60000, 60000), testing::E("v is not null")));
  const PlanPtr other = MUTIRAO_MUST(frame::MakeProject(
      MUTIRAO_MUST(frame::MakeFilter(shared, testing::E("k < 50 and k > 1"))), {{"rk", testing::E("k")}}));
  ExpectSameUnderPressure(MUTIRAO_MUST(frame::MakeJoin(shared, other, {{"k", "rk"}}, frame::JoinKind::kInner)), true);
}

TEST(Spill, LeavesNothingAfterAFailureOrAStop) {
  const Folder folder;
  ExecuteOptions options = testing::Threads(2);
  options.memory = kTight;
  options.spill_dir = folder.path;
  const PlanPtr broken = ScanOf({RandomTable(12, 60000, 60000)}, false, 500, {.fail_at = 110});
  EXPECT_EQ(Collect(MUTIRAO_MUST(frame::MakeSort(broken, {{"k", false}})), options).status().code(),
            StatusCode::kInvalid);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));

  const PlanPtr endless =
      ScanOf({RandomTable(13, 60000, 60000)}, false, 500, {.pause = std::chrono::microseconds(100), .endless = true});
  std::stop_source stop;
  options.stop = stop.get_token();
  std::jthread asker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    stop.request_stop();
  });
  EXPECT_EQ(Collect(MUTIRAO_MUST(frame::MakeSort(endless, {{"k", false}})), options).status().code(),
            StatusCode::kCancelled);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
}

TEST(Spill, SaysWhereItCannotWrite) {
  ExecuteOptions options = testing::Threads(2);
  options.memory = kTight;
  options.spill_dir = "/proc/no/such/folder";
  const Status status =
      Collect(MUTIRAO_MUST(frame::MakeSort(Input(14, 60000, 60000), {{"k", false}})), options).status();
  EXPECT_NE(status.message().find("/proc/no/such/folder"), std::string::npos) << status.message();
  EXPECT_NE(status.help().find("--spill-dir"), std::string::npos) << status.help();
}

}  // namespace
}  // namespace mutirao::engine
