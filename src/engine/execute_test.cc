#include "engine/execute.h"

#include <chrono>
#include <mutex>

#include "base/thread_pool.h"
#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using testing::BatchOf;
using testing::E;
using testing::MemoryBehaviour;
using testing::MemorySink;
using testing::MemorySource;
using testing::MemoryTables;
using testing::PlanPtr;
using testing::RandomTable;
using testing::Rows;
using testing::ScanOf;

PlanPtr WriteTo(const PlanPtr& input, const std::string& name, int fail_after = -1) {
  MemoryTables::Get().Put(name, {});
  return MUTIRAO_MUST(frame::MakeWrite(input, std::make_shared<MemorySink>(name, input->schema(), fail_after)));
}

const NodeReport& ReportOf(const ExecutionReport& report, const PlanPtr& node) {
  for (const NodeReport& entry : report.nodes) {
    if (entry.node == node.get()) return entry;
  }
  ADD_FAILURE() << "no report of the node";
  return report.nodes.at(0);
}

class KeepQuarantine : public frame::QuarantineSink {
 public:
  Status Add(frame::QuarantinedRow row) override {
    const std::lock_guard lock(mutex_);
    rows.push_back(std::move(row));
    return {};
  }
  std::vector<frame::QuarantinedRow> rows;

 private:
  std::mutex mutex_;
};

// Says that so much is to be read of its much larger files, and keeps what it was asked for.
class AskedSource : public MemorySource {
 public:
  AskedSource(int64_t bytes, double* cached)
      : MemorySource("asked", RandomTable(1, 1, 1)->schema()), bytes_(bytes), cached_(cached) {}
  int64_t TotalBytes() const override { return int64_t{1} << 50; }
  int64_t BytesToRead(const std::vector<std::string>&) const override { return bytes_; }
  Result<std::unique_ptr<frame::Scan>> Open(const frame::ScanRequest& request,
                                            const frame::ScanContext& context) const override {
    *cached_ = request.cached_share;
    return MemorySource::Open(request, context);
  }

 private:
  const int64_t bytes_;
  double* const cached_;
};

TEST(Execute, SaysWhatMemoryCanKeepOfItsSources) {
  MemoryTables::Get().Put("asked", {RandomTable(1, 10, 10)});
  double first = 0, second = 0;
  const auto run = [&](int64_t bytes, int64_t others) {
    const auto scan = [](int64_t size, double* cached) {
      return MUTIRAO_MUST(frame::MakeScan(std::make_shared<AskedSource>(size, cached), false));
    };
    MUTIRAO_MUST(Collect(MUTIRAO_MUST(frame::MakeUnion({scan(bytes, &first), scan(others, &second)}))));
    EXPECT_EQ(first, second);
  };
  const int64_t memory = AvailableMemory();
  run(1000, memory / 3);
  EXPECT_EQ(first, 1);
  run(memory / 3, memory / 3);
  EXPECT_NEAR(first, 0.375, 1e-6);
  run(100 * memory, -1);
  EXPECT_NEAR(first, 0.0025, 1e-6);
}

// With one thread, rows come out in the order of the side that is not in the table.
TEST(Execute, PutsTheSideIntoTheTableThatCostsLess) {
  const MemoryBehaviour counted{.counts_bytes = true};
  const PlanPtr left = ScanOf({RandomTable(1, 4000, 4000, "l")}, false, 0, counted);
  const PlanPtr right = ScanOf({RandomTable(2, 400, 4000, "r")}, false, 0, counted);
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(left, right, {{"lk", "rk"}}, frame::JoinKind::kInner));
  std::vector<std::vector<std::string>> written;
  for (const bool advice : {true, false}) {
    auto spec = static_cast<const frame::JoinNode&>(*join).spec;
    spec.build_right = advice;
    const PlanPtr write = WriteTo(MUTIRAO_MUST(frame::MakeJoin(left, right, spec)), "joined");
    MUTIRAO_MUST(Execute({write}, {"staging"}, testing::Threads(1)));
    written.push_back(testing::RowsOf(MemoryTables::Get().Find("joined"), false));
  }
  ASSERT_FALSE(written[0].empty());
  EXPECT_EQ(written[0], written[1]);
}

TEST(Execute, FiltersProjectsAndWrites) {
  const PlanPtr scan = ScanOf({RandomTable(1, 10000, 100)}, false, 100);
  const PlanPtr filter = MUTIRAO_MUST(frame::MakeFilter(scan, E("v > 0")));
  const PlanPtr project = MUTIRAO_MUST(frame::MakeProject(filter, {{"w", E("v * 2")}, {"t", E("t")}}));
  const PlanPtr write = WriteTo(project, "out");
  for (const int threads : {1, 4}) {
    MemoryTables::Get().Put("out", {});
    auto report = MUTIRAO_MUST(Execute({write}, {"staging"}, testing::Threads(threads)));
    const auto rows = testing::RowsOf(MemoryTables::Get().Find("out"));
    EXPECT_EQ(ReportOf(report, scan).rows_out, 10000);
    EXPECT_EQ(ReportOf(report, scan).rows_read, 10000);
    EXPECT_EQ(ReportOf(report, filter).rows_in, 10000);
    EXPECT_EQ(ReportOf(report, filter).rows_out, static_cast<int64_t>(rows.size()));
    EXPECT_EQ(ReportOf(report, write).rows_in, static_cast<int64_t>(rows.size()));
    ASSERT_EQ(ReportOf(report, write).parts.size(), 1u);
    EXPECT_EQ(ReportOf(report, write).parts[0].rows, static_cast<int64_t>(rows.size()));
    EXPECT_EQ(ReportOf(report, write).parts[0].path, "part-" + std::to_string(threads));
  }
}

TEST(Execute, RunsSharedInputOnce) {
  const PlanPtr scan = ScanOf({RandomTable(2, 5000, 100)}, false, 100);
  const PlanPtr shared = MUTIRAO_MUST(frame::MakeFilter(scan, E("k is not null")));
  const PlanPtr first = WriteTo(shared, "tee1");
  const PlanPtr second = WriteTo(MUTIRAO_MUST(frame::MakeLimit(shared, 10)), "tee2");
  auto report = MUTIRAO_MUST(Execute({first, second}, {"a", "b"}, testing::Threads(4)));
  EXPECT_EQ(ReportOf(report, scan).rows_read, 5000);
  EXPECT_EQ(ReportOf(report, first).rows_in, ReportOf(report, shared).rows_out);
  EXPECT_EQ(testing::RowsOf(MemoryTables::Get().Find("tee2")).size(), 10u);
}

TEST(Execute, WritesInOrderWhatHasAnOrder) {
  const BatchPtr table = RandomTable(3, 20000, 100);
  const PlanPtr ordered = MUTIRAO_MUST(frame::MakeFilter(ScanOf({table}, true, 50), E("v > 100")));
  const PlanPtr sorted = MUTIRAO_MUST(frame::MakeSort(ScanOf({table}, true, 50), {{"v", true}}));
  for (const PlanPtr& plan : {ordered, sorted}) {
    const auto want = Rows(plan, false);
    auto report = MUTIRAO_MUST(Execute({WriteTo(plan, "ordered")}, {"s"}, testing::Threads(4)));
    EXPECT_EQ(testing::RowsOf(MemoryTables::Get().Find("ordered"), false), want);
  }
}

TEST(Execute, UnitesByName) {
  const PlanPtr first = ScanOf({BatchOf({{"a", "int64", "[1]"}, {"b", "string", R"(["x"])"}})}, true);
  const PlanPtr second = ScanOf({BatchOf({{"b", "string", R"(["y"])"}, {"a", "int64", "[2]"}})}, true);
  const PlanPtr both = MUTIRAO_MUST(frame::MakeUnion({first, second, first}));
  EXPECT_EQ(Rows(both), (std::vector<std::string>{"1|x", "1|x", "2|y"}));
}

TEST(Execute, UnnestsListsAndText) {
  const PlanPtr lists =
      ScanOf({BatchOf({{"l", "list<int64>", "[[1, 2], null, [], [null]]"}, {"n", "int64", "[1, 2, 3, 4]"}})});
  EXPECT_EQ(Rows(MUTIRAO_MUST(frame::MakeUnnest(lists, "l", std::nullopt))),
            (std::vector<std::string>{"1|1", "2|1", "null|4"}));
  const PlanPtr text =
      ScanOf({BatchOf({{"t", "string", R"(["a,b", null, "c,", ","])"}, {"n", "int64", "[1, 2, 3, 4]"}})});
  EXPECT_EQ(Rows(MUTIRAO_MUST(frame::MakeUnnest(text, "t", ","))),
            (std::vector<std::string>{"a|1", "b|1", "c|3", "|3", "|4", "|4"}));
}

TEST(Execute, QuarantinesRowsWithTheirPlaceOrTheirValues) {
  const PlanPtr scan = ScanOf({BatchOf({{"a", "int64", "[1, null, 3]"}, {"b", "string", R"(["x", "y", "z"])"}})});
  const PlanPtr plan = MUTIRAO_MUST(frame::MakeQuarantine(scan, E("a > 2"), "too much"));
  KeepQuarantine kept;
  ExecuteOptions options;
  options.quarantine = &kept;
  ExecutionReport report;
  EXPECT_EQ(testing::RowsOf(MUTIRAO_MUST(Collect(plan, options, &report))),
            (std::vector<std::string>{"1|x", "null|y"}));
  ASSERT_EQ(kept.rows.size(), 1u);
  EXPECT_EQ(kept.rows[0].raw, R"({"a":3,"b":"z"})");
  EXPECT_EQ(kept.rows[0].reason, "too much");
  EXPECT_EQ(ReportOf(report, plan).rows_quarantined, 1);
  EXPECT_EQ(Collect(plan).status().code(), StatusCode::kInvalid);
}

TEST(Execute, StopsAtTheFirstFailure) {
  MemoryBehaviour broken{.fail_at = 50};
  const PlanPtr scan = ScanOf({RandomTable(4, 100000, 100)}, false, 100, broken);
  const PlanPtr plan = MUTIRAO_MUST(frame::MakeSort(scan, {{"k", false}}));
  const Status status = Collect(plan, testing::Threads(4)).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalid);
  EXPECT_EQ(status.message(), "broken batch 50");
}

TEST(Execute, GivesTheErrorsOfExpressionsAndSinks) {
  const PlanPtr scan = ScanOf({BatchOf({{"t", "string", R"(["1", "x"])"}})});
  const PlanPtr cast = MUTIRAO_MUST(frame::MakeProject(scan, {{"n", E("cast(t as int64)")}}));
  EXPECT_EQ(Collect(cast).status().code(), StatusCode::kInvalid);
  const PlanPtr full = WriteTo(ScanOf({RandomTable(5, 10000, 10)}, false, 100), "full", 3);
  EXPECT_EQ(Execute({full}, {"s"}, testing::Threads(4)).status().code(), StatusCode::kIo);
}

TEST(Execute, StopsWithin100MillisecondsOfARequest) {
  MemoryBehaviour endless{.pause = std::chrono::microseconds(200), .endless = true};
  const PlanPtr scan = ScanOf({RandomTable(6, 60000, 1000)}, false, 6000, endless);
  const PlanPtr other = ScanOf({RandomTable(6, 60000, 1000, "r")}, false, 6000);
  const PlanPtr plans[] = {
      MUTIRAO_MUST(frame::MakeSort(scan, {{"k", false}})),
      MUTIRAO_MUST(frame::MakeAggregate(scan, {{"k", E("k")}}, {{"n", E("count()")}})),
      MUTIRAO_MUST(frame::MakeLimit(MUTIRAO_MUST(frame::MakeJoin(scan, other, {{"k", "rk"}}, frame::JoinKind::kInner)),
                                    int64_t{1} << 60)),
  };
  for (const PlanPtr& plan : plans) testing::ExpectSoonStopped(plan, testing::Threads(2));
}

TEST(Execute, TellsItsProgress) {
  MemoryBehaviour slow{.pause = std::chrono::milliseconds(20)};
  const PlanPtr scan = ScanOf({RandomTable(7, 2000, 10)}, false, 100, slow);
  ExecuteOptions options = testing::Threads(1);
  std::vector<int64_t> read;
  options.progress = [&](const Progress& progress) { read.push_back(progress.rows_read); };
  ASSERT_TRUE(Execute({WriteTo(scan, "progress")}, {"s"}, options).ok());
  EXPECT_GE(read.size(), 2u);
  EXPECT_TRUE(std::is_sorted(read.begin(), read.end()));
  EXPECT_EQ(read.back(), 2000);
}

}  // namespace
}  // namespace mutirao::engine
