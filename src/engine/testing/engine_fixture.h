#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "columnar/arrow_status.h"
#include "engine/execute.h"
#include "engine/testing/memory_format.h"
#include "frame/expr/expr.h"
#include "frame/plan/plan.h"

namespace mutirao::engine::testing {

using frame::PlanPtr;

/// Build a batch from column specs ("k", "int64") and JSON columns ("[1, null]").
struct Column {
  std::string name;
  std::string type;
  std::string json;
};

inline ArrayPtr ArrayOf(const std::string& type, const std::string& json) {
  auto parsed = MUTIRAO_MUST(ParseType(type));
  return MUTIRAO_MUST(arrow::json::ArrayFromJSONString(parsed, json));
}

inline BatchPtr BatchOf(const std::vector<Column>& columns) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<ArrayPtr> arrays;
  for (const Column& column : columns) {
    arrays.push_back(ArrayOf(column.type, column.json));
    fields.push_back(arrow::field(column.name, arrays.back()->type()));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), arrays.at(0)->length(), arrays);
}

/// A scan over batches in memory; `rows` cuts them smaller, so that there are many morsels.
inline PlanPtr ScanOf(const std::vector<BatchPtr>& batches, bool preserve_order = false, int64_t rows = 0,
                      MemoryBehaviour behaviour = {}) {
  static std::atomic<int> number{0};
  const std::string name = "table" + std::to_string(++number);
  std::vector<BatchPtr> cut;
  for (const BatchPtr& batch : batches) {
    const int64_t step = rows > 0 ? rows : std::max<int64_t>(batch->num_rows(), 1);
    for (int64_t at = 0; at < batch->num_rows(); at += step) cut.push_back(batch->Slice(at, step));
  }
  MemoryTables::Get().Put(name, cut);
  return MUTIRAO_MUST(
      frame::MakeScan(std::make_shared<MemorySource>(name, batches.at(0)->schema(), behaviour), preserve_order));
}

/// Every row as text; in the given order, or sorted.
inline std::vector<std::string> RowsOf(const std::vector<BatchPtr>& batches, bool sorted = true) {
  std::vector<std::string> rows;
  for (const BatchPtr& batch : batches) {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      std::string text;
      for (const ArrayPtr& column : batch->columns()) {
        auto scalar = MUTIRAO_MUST(column->GetScalar(row));
        text += (&column == &batch->columns().front() ? "" : "|") +
                (scalar->is_valid ? scalar->ToString() : std::string("null"));
      }
      rows.push_back(std::move(text));
    }
  }
  if (sorted) std::sort(rows.begin(), rows.end());
  return rows;
}

inline ExecuteOptions Threads(int threads, frame::QuarantineSink* quarantine = nullptr) {
  ExecuteOptions options;
  options.threads = threads;
  options.quarantine = quarantine;
  return options;
}

// g++ says it in one way, clang in the other.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define MUTIRAO_IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define MUTIRAO_IS_SANITIZED 1
#endif

/// How much longer things may take under a sanitizer.
constexpr int SlownessOfThisBuild() {
#ifdef MUTIRAO_IS_SANITIZED
  return 10;
#else
  return 1;
#endif
}

inline std::chrono::milliseconds ProcessorTime() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::milliseconds(time.tv_sec * 1000 + time.tv_nsec / 1000000);
}

/// Check that a plan that does not end by itself ends within 100 ms of a request. What counts is what was computed
/// after the request: on a machine that is busy with other things, time on the wall says nothing of the engine. For the
/// same reason the best of three counts.
inline void ExpectSoonStopped(const PlanPtr& plan, ExecuteOptions options) {
  const std::chrono::milliseconds limit(100 * options.threads * SlownessOfThisBuild());
  std::chrono::milliseconds best = std::chrono::milliseconds::max();
  for (int attempt = 0; attempt < 3 && best >= limit; ++attempt) {
    std::stop_source stop;
    options.stop = stop.get_token();
    std::chrono::milliseconds asked{};
    std::jthread asker([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      asked = ProcessorTime();
      stop.request_stop();
    });
    const Status status = Collect(plan, options).status();
    const auto ended = ProcessorTime();
    asker.join();
    EXPECT_EQ(status.code(), StatusCode::kCancelled) << status.ToString();
    best = std::min(best, ended - asked);
  }
  EXPECT_LT(best, limit);
}

/// Collect with 1 and with 4 threads, check that both give the same rows, and give them.
inline std::vector<std::string> Rows(const PlanPtr& plan, bool sorted = true,
                                     frame::QuarantineSink* quarantine = nullptr) {
  auto one = Collect(plan, Threads(1, quarantine));
  auto four = Collect(plan, Threads(4, quarantine));
  EXPECT_TRUE(one.ok()) << one.status().ToString();
  EXPECT_TRUE(four.ok()) << four.status().ToString();
  if (!one.ok() || !four.ok()) return {"failed"};
  for (const BatchPtr& batch : *four) {
    EXPECT_TRUE(batch->ValidateFull().ok()) << batch->ValidateFull().ToString();
    EXPECT_TRUE(batch->schema()->Equals(*plan->schema(), false)) << batch->schema()->ToString();
    EXPECT_LE(batch->num_rows(), 65536);
  }
  auto rows = RowsOf(*one, sorted);
  EXPECT_EQ(rows, RowsOf(*four, sorted));
  return rows;
}

/// Parse an expression that is known to be right.
inline frame::ExprPtr E(const std::string& text) {
  return MUTIRAO_MUST(frame::ParseExpr(text));
}

/// Random keys and values: nulls, duplicates and one key that many rows have.
inline BatchPtr RandomTable(uint64_t seed, int64_t rows, int64_t keys, const std::string& prefix = "") {
  std::mt19937_64 random(seed);
  arrow::Int64Builder key;
  arrow::StringBuilder text;
  arrow::Int64Builder value;
  arrow::DoubleBuilder real;
  for (int64_t i = 0; i < rows; ++i) {
    const auto pick = static_cast<int64_t>(random() % static_cast<uint64_t>(keys));
    const bool skewed = random() % 8 == 0;
    (void)(random() % 13 == 0 ? key.AppendNull() : key.Append(skewed ? 1 : pick));
    const std::string long_tail(random() % 4 == 0 ? 24 : 0, 'x');
    (void)(random() % 13 == 0 ? text.AppendNull() : text.Append("k" + std::to_string(pick % 50) + long_tail));
    (void)(random() % 11 == 0 ? value.AppendNull() : value.Append(static_cast<int64_t>(random() % 1000) - 500));
    (void)(random() % 11 == 0 ? real.AppendNull() : real.Append(static_cast<double>(random() % 1000) / 4));
  }
  auto schema =
      arrow::schema({arrow::field(prefix + "k", arrow::int64()), arrow::field(prefix + "t", arrow::utf8()),
                     arrow::field(prefix + "v", arrow::int64()), arrow::field(prefix + "d", arrow::float64())});
  return arrow::RecordBatch::Make(
      schema, rows,
      {key.Finish().ValueOrDie(), text.Finish().ValueOrDie(), value.Finish().ValueOrDie(), real.Finish().ValueOrDie()});
}

}  // namespace mutirao::engine::testing
