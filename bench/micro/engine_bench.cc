// mutirao-engine-bench: hashing of keys, numbering of groups, join and aggregation of rows in memory. Items are rows;
// joins and aggregations run on one thread.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "engine/execute.h"
#include "engine/keys/group_table.h"
#include "engine/keys/key_encoder.h"
#include "engine/operators/join_table.h"
#include "engine/rows/gather.h"
#include "engine/testing/memory_format.h"
#include "frame/expr/expr.h"
#include "frame/plan/plan.h"

namespace mutirao::engine {
namespace {

using frame::PlanPtr;

constexpr int64_t kBatchRows = 65536;

/// A batch of register-like keys: a company's root as roots() gives it, as text and as a number, state and activity.
template <typename F>
BatchPtr MakeBatch(std::mt19937_64& random, F&& roots) {
  constexpr const char* kStates[] = {"SP", "MG", "RJ", "PR", "RS", "SC", "BA", "PE"};
  arrow::StringBuilder root, state, activity;
  arrow::Int64Builder number;
  for (int64_t row = 0; row < kBatchRows; ++row) {
    const uint64_t pick = roots();
    MUTIRAO_MUST(root.Append(fmt::format("{:08}", pick)));
    MUTIRAO_MUST(state.Append(kStates[random() % 8]));
    MUTIRAO_MUST(activity.Append(fmt::format("{:07}", random() % 1332 * 7127)));
    MUTIRAO_MUST(number.Append(static_cast<int64_t>(pick)));
  }
  auto schema = arrow::schema({arrow::field("root", arrow::utf8()), arrow::field("state", arrow::utf8()),
                               arrow::field("activity", arrow::utf8()), arrow::field("number", arrow::int64())});
  return arrow::RecordBatch::Make(schema, kBatchRows,
                                  {MUTIRAO_MUST(root.Finish()), MUTIRAO_MUST(state.Finish()),
                                   MUTIRAO_MUST(activity.Finish()), MUTIRAO_MUST(number.Finish())});
}

void EncodeKeys(benchmark::State& state, const std::vector<int>& columns) {
  std::mt19937_64 random(1);
  const BatchPtr batch = MakeBatch(random, [&] { return random() % 50'000'000; });
  KeyEncoder encoder(columns);
  KeyBatch keys;
  for (auto _ : state) {
    MUTIRAO_MUST(encoder.Encode(*batch, &keys));
    benchmark::DoNotOptimize(keys.hashes.data());
  }
  state.SetItemsProcessed(state.iterations() * kBatchRows);
}
BENCHMARK_CAPTURE(EncodeKeys, text, std::vector<int>{0});
BENCHMARK_CAPTURE(EncodeKeys, int64, std::vector<int>{3});
BENCHMARK_CAPTURE(EncodeKeys, two_texts, std::vector<int>{1, 2});

/// Hash a batch of keys that are encoded already.
void Hash(benchmark::State& state) {
  std::mt19937_64 random(1);
  const BatchPtr batch = MakeBatch(random, [&] { return random() % 50'000'000; });
  KeyEncoder encoder({0});
  KeyBatch keys;
  MUTIRAO_MUST(encoder.Encode(*batch, &keys));
  for (auto _ : state) {
    for (size_t row = 0; row < keys.size(); ++row) keys.hashes[row] = HashKey(keys.keys[row]);
    benchmark::DoNotOptimize(keys.hashes.data());
  }
  state.SetItemsProcessed(state.iterations() * kBatchRows);
}
BENCHMARK(Hash);

/// Make the table of a join of two million 8-digit texts, keys encoded already.
void BuildTable(benchmark::State& state) {
  constexpr size_t kBatches = 32;
  std::mt19937_64 random(1);
  KeyEncoder encoder({0});
  uint64_t number = 0;
  std::vector<BatchPtr> batches;
  std::vector<KeyBatch> keys(kBatches);
  for (KeyBatch& batch_keys : keys) {
    batches.push_back(MakeBatch(random, [&] { return number++ * 0x9E3779B1 % (kBatches * kBatchRows); }));
    MUTIRAO_MUST(encoder.Encode(*batches.back(), &batch_keys));
  }
  const RunContext run;
  for (auto _ : state) {
    JoinTable table(1);
    for (size_t i = 0; i < kBatches; ++i) {
      table.Add(0, {batches[i], {0, static_cast<int64_t>(i) * kBatchRows}}, keys[i]);
    }
    MUTIRAO_MUST(table.Seal(*batches[0]->schema(), 1));
    for (int part = 0; part < kRadixParts; ++part) MUTIRAO_MUST(table.BuildPart(part, run));
    table.EndBuilding();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatches) * kBatchRows);
}
BENCHMARK(BuildTable)->Unit(benchmark::kMillisecond);

/// Take the values of a column of two million rows in any order: texts of one length, texts of many, numbers.
void TakeValues(benchmark::State& state, int column) {
  constexpr uint64_t kBatches = 32;
  std::mt19937_64 random(1);
  std::vector<BatchPtr> batches;
  const auto longer = [&](const BatchPtr& batch) -> ArrayPtr {
    arrow::StringBuilder texts;
    for (int64_t row = 0; row < kBatchRows; ++row) MUTIRAO_MUST(texts.Append(std::string(random() % 40, 'x')));
    return column == 1 ? MUTIRAO_MUST(texts.Finish()) : batch->column(column);
  };
  for (uint64_t i = 0; i < kBatches; ++i) {
    const BatchPtr batch = MakeBatch(random, [&] { return random() % 50'000'000; });
    const ArrayPtr values = longer(batch);
    batches.push_back(
        arrow::RecordBatch::Make(arrow::schema({arrow::field("value", values->type())}), kBatchRows, {values}));
  }
  const BatchGather gather(batches[0]->schema(), batches);
  std::vector<RowRef> rows(16 * kBatchRows);
  for (RowRef& row : rows) {
    row = {static_cast<uint32_t>(random() % kBatches), static_cast<uint32_t>(random() % kBatchRows)};
  }
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(MUTIRAO_MUST(gather.Take(std::span(rows).subspan(next++ % 16 * kBatchRows, kBatchRows))));
  }
  state.SetItemsProcessed(state.iterations() * kBatchRows);
}
BENCHMARK_CAPTURE(TakeValues, eight_digits, 0);
BENCHMARK_CAPTURE(TakeValues, texts, 1);
BENCHMARK_CAPTURE(TakeValues, int64, 3);

/// Look up batches of 8-digit texts, half of which are there, in the table of a join.
void Probe(benchmark::State& state) {
  const auto rows = static_cast<uint64_t>(state.range(0));
  uint64_t number = 0;
  std::mt19937_64 random(1);
  KeyEncoder encoder({0});
  KeyBatch keys;
  JoinTable table(1);
  const RunContext run;
  for (uint64_t made = 0; made < rows; made += kBatchRows) {
    // An odd factor makes a permutation of the numbers below a power of two.
    const BatchPtr batch = MakeBatch(random, [&] { return number++ * 0x9E3779B1 % rows; });
    MUTIRAO_MUST(encoder.Encode(*batch, &keys));
    table.Add(0, {batch, {0, static_cast<int64_t>(made)}}, keys);
  }
  const BatchPtr first = MakeBatch(random, [&] { return random() % (2 * rows); });
  MUTIRAO_MUST(table.Seal(*first->schema(), 1));
  for (int part = 0; part < kRadixParts; ++part) MUTIRAO_MUST(table.BuildPart(part, run));
  table.EndBuilding();
  std::vector<KeyBatch> probes(16);
  for (KeyBatch& probe : probes) {
    const BatchPtr batch = MakeBatch(random, [&] { return random() % (2 * rows); });
    MUTIRAO_MUST(encoder.Encode(*batch, &probe));
  }
  std::vector<JoinMatch> found(kBatchRows);
  MatchedRows matched(table.rows());
  size_t next = 0;
  for (auto _ : state) {
    table.Find(probes[next++ % probes.size()], found.data(), matched);
    benchmark::DoNotOptimize(found.data());
  }
  state.SetItemsProcessed(state.iterations() * kBatchRows);
}
BENCHMARK(Probe)->Arg(1 << 16)->Arg(1 << 19);

/// Look up a batch of 8-digit texts in a table of `groups` keys that are all there.
void FindGroups(benchmark::State& state) {
  std::mt19937_64 random(1);
  const auto limit = static_cast<uint64_t>(state.range(0));
  GroupTable table;
  KeyEncoder encoder({0});
  std::vector<uint32_t> groups(kBatchRows);
  // Kept, as keys may point into their batch.
  std::vector<BatchPtr> batches;
  std::vector<KeyBatch> keys;
  for (uint64_t rows = 0; rows < std::max<uint64_t>(4 * limit, 1); rows += kBatchRows) {
    batches.push_back(MakeBatch(random, [&] { return random() % limit; }));
    MUTIRAO_MUST(encoder.Encode(*batches.back(), &keys.emplace_back()));
    table.Assign(keys.back().keys, keys.back().hashes, groups.data());
  }
  size_t next = 0;
  for (auto _ : state) {
    const KeyBatch& batch = keys[next++ % keys.size()];
    table.Assign(batch.keys, batch.hashes, groups.data());
    benchmark::DoNotOptimize(groups.data());
  }
  state.SetItemsProcessed(state.iterations() * kBatchRows);
}
BENCHMARK(FindGroups)->Arg(1'000)->Arg(50'000)->Arg(1'000'000);

template <typename F>
PlanPtr ScanOf(const std::string& name, int64_t rows, F&& roots) {
  std::mt19937_64 random(1);
  std::vector<BatchPtr> batches;
  for (int64_t made = 0; made < rows; made += kBatchRows) batches.push_back(MakeBatch(random, roots));
  testing::MemoryTables::Get().Put(name, batches);
  return MUTIRAO_MUST(frame::MakeScan(std::make_shared<testing::MemorySource>(name, batches[0]->schema())));
}

frame::ExprPtr E(const char* text) {
  return MUTIRAO_MUST(frame::ParseExpr(text));
}

void RunPlan(benchmark::State& state, const PlanPtr& plan, int64_t rows) {
  ExecuteOptions options;
  options.threads = 1;
  for (auto _ : state) benchmark::DoNotOptimize(MUTIRAO_MUST(Collect(plan, options)));
  state.SetItemsProcessed(state.iterations() * rows);
}

/// Build a table of 262,144 keys and probe it with 1,048,576 rows, a half or all of which match; only a count comes
/// out.
void Join(benchmark::State& state) {
  constexpr int64_t kBuild = 4 * kBatchRows, kProbe = 16 * kBatchRows;
  // An odd factor makes a permutation of the numbers below a power of two.
  uint64_t number = 0;
  const PlanPtr build = ScanOf("build", kBuild, [&] { return number++ * 0x9E3779B1 % kBuild; });
  std::mt19937_64 random(2);
  const auto limit = static_cast<uint64_t>(kBuild * 100 / state.range(0));
  const PlanPtr probe = ScanOf("probe", kProbe, [&] { return random() % limit; });
  const PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(probe, build, {{"root", "root"}}, frame::JoinKind::kInner));
  RunPlan(state, MUTIRAO_MUST(frame::MakeAggregate(join, {}, {{"n", E("count()")}})), kProbe);
}
BENCHMARK(Join)->ArgName("percent")->Arg(50)->Arg(100)->Unit(benchmark::kMillisecond);

/// 1,048,576 rows in 10,656 groups.
void Aggregate(benchmark::State& state, const char* value) {
  constexpr int64_t kRows = 16 * kBatchRows;
  std::mt19937_64 random(3);
  const PlanPtr scan = ScanOf("rows", kRows, [&] { return random() % kRows; });
  const std::vector<frame::NamedExpr> by = {{"state", E("state")}, {"activity", E("activity")}};
  RunPlan(state, MUTIRAO_MUST(frame::MakeAggregate(scan, by, {{"value", E(value)}})), kRows);
}
BENCHMARK_CAPTURE(Aggregate, count, "count()")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Aggregate, sum, "sum(number)")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Aggregate, count_distinct, "count_distinct(root)")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mutirao::engine

BENCHMARK_MAIN();
