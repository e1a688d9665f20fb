// What the tests of this folder share: a file with given bytes, a read of it, and what came out as text.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "formats/csv/csv_source.h"
#include "frame/expr/evaluate.h"

namespace mutirao::formats::csv {

/// A folder that is removed again.
class TestFolder {
 public:
  TestFolder() {
    static std::atomic<int> number{0};
    path_ = std::filesystem::temp_directory_path() / fmt::format("mutirao-csv-{}-{}", getpid(), number++);
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string Write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return (path_ / name).string();
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// A value as tests write it: null is ∅.
inline std::string Cell(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return "∅";
  if (array.type_id() == arrow::Type::STRING) return static_cast<const arrow::StringArray&>(array).GetString(row);
  if (array.type_id() == arrow::Type::BINARY) return static_cast<const arrow::BinaryArray&>(array).GetString(row);
  return array.GetScalar(row).ValueOrDie()->ToString();
}

struct ReadOutcome {
  Status status;
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> rows;  ///< in the file's order
  std::vector<frame::QuarantinedRow> bad;
  bool ascending = true;  ///< each worker got its morsels in the input's order
  int64_t read = 0, filtered = 0, delivered = 0, quarantined = 0, blank = 0, nul = 0, nulled = 0;

  bool AddsUp() const { return read == filtered + delivered + quarantined; }
  /// Rows as "a|b" lines.
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const auto& row : rows) lines.push_back(fmt::format("{}", fmt::join(row, "|")));
    return lines;
  }
  std::string BadText() const {
    std::string text;
    for (const auto& row : bad)
      text += fmt::format("{}@{}:{}:{}:{}\n", row.line, row.byte_offset, row.column, row.reason, row.raw);
    return text;
  }
};

/// Say where two reads of the same bytes differ, quarantined rows included; empty when they are alike, as they must be
/// whatever the chunks, workers, splits, instructions and paths.
inline std::string Difference(const ReadOutcome& one, const ReadOutcome& other) {
  if (one.status.ok() != other.status.ok())
    return fmt::format("one gives {}, the other {}", one.status.ToString(), other.status.ToString());
  if (!one.status.ok()) return "";
  if (one.names != other.names) return "the columns differ";
  const auto lines = one.Lines();
  const auto other_lines = other.Lines();
  for (size_t i = 0; i < std::max(lines.size(), other_lines.size()); ++i) {
    const std::string line = i < lines.size() ? lines[i] : "(no row)";
    const std::string other_line = i < other_lines.size() ? other_lines[i] : "(no row)";
    if (line != other_line) return fmt::format("row {} is {} and {}", i, line, other_line);
  }
  if (one.BadText() != other.BadText())
    return fmt::format("bad rows are\n{}-- and\n{}", one.BadText(), other.BadText());
  const auto counts = [](const ReadOutcome& read) {
    return fmt::format("{} read, {} filtered, {} blank, {} NUL, {} nulled", read.read, read.filtered, read.blank,
                       read.nul, read.nulled);
  };
  if (counts(one) != counts(other)) return fmt::format("counts are {} and {}", counts(one), counts(other));
  return one.AddsUp() && other.AddsUp() ? "" : "the counts do not add up: " + counts(one);
}

struct ReadOptions {
  int workers = 1;
  std::vector<std::string> columns;  ///< all when empty
  frame::ExprPtr predicate;
  frame::ExprPtr predicate_behind;  ///< decided on what the scan delivers, as the engine does
  ScanTuning tuning = DefaultTuning();
  int64_t split_bytes = 0;  ///< 0: no splits are asked for
  std::optional<int64_t> limit;
  bool preserve_order = false;
};

class RowCollector : public frame::QuarantineSink {
 public:
  Status Add(frame::QuarantinedRow row) override {
    std::lock_guard lock(mutex_);
    rows.push_back(std::move(row));
    return Status::Ok();
  }
  std::vector<frame::QuarantinedRow> rows;

 private:
  std::mutex mutex_;
};

inline void Drain(const frame::Source& source, const ReadOptions& options, std::vector<frame::Split> splits,
                  ReadOutcome* out) {
  frame::ScanCounters counters;
  RowCollector collector;
  frame::ScanRequest request{.splits = std::move(splits),
                             .columns = options.columns,
                             .predicate = options.predicate,
                             .limit = options.limit,
                             .workers = options.workers,
                             .preserve_order = options.preserve_order};
  if (request.columns.empty()) request.columns = source.schema()->field_names();
  auto scan = source.Open(request, {.counters = &counters, .quarantine = &collector});
  if (!scan.ok()) {
    out->status = scan.status();
    return;
  }
  std::mutex mutex;
  std::vector<frame::Morsel> morsels;
  const auto work = [&](int worker) {
    for (int64_t before = -1;;) {
      auto morsel = (*scan)->Next(worker);
      std::lock_guard lock(mutex);
      if (!morsel.ok()) out->status = morsel.status();
      if (!morsel.ok() || !morsel->batch) return;
      out->ascending &= morsel->sequence > before;
      before = morsel->sequence;
      morsels.push_back(*morsel);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < options.workers; ++i) threads.emplace_back(work, i);
  work(0);
  for (auto& thread : threads) thread.join();
  std::ranges::sort(morsels, {}, &frame::Morsel::sequence);
  for (frame::Morsel& morsel : morsels) {
    if (options.predicate_behind) {
      auto evaluator = MUTIRAO_MUST(frame::Evaluator::Make(options.predicate_behind, morsel.batch->schema()));
      auto keep = MUTIRAO_MUST(evaluator->Evaluate(*morsel.batch));
      morsel.batch = MUTIRAO_MUST(frame::FilterBatch(morsel.batch, *keep));
    }
    for (int64_t row = 0; row < morsel.batch->num_rows(); ++row) {
      auto& cells = out->rows.emplace_back();
      for (int i = 0; i < morsel.batch->num_columns(); ++i) cells.push_back(Cell(*morsel.batch->column(i), row));
    }
  }
  std::ranges::stable_sort(collector.rows, {}, &frame::QuarantinedRow::byte_offset);
  out->bad.insert(out->bad.end(), collector.rows.begin(), collector.rows.end());
  out->read += counters.rows_read;
  out->filtered += counters.rows_filtered;
  out->delivered += counters.rows_delivered;
  out->quarantined += counters.rows_quarantined;
  out->blank += counters.blank_lines;
  out->nul += counters.nul_bytes_dropped;
  out->nulled += counters.values_nulled;
}

inline ReadOutcome Read(const frame::Source& source, const ReadOptions& options = {}) {
  ReadOutcome out;
  out.names = source.schema()->field_names();
  if (options.split_bytes == 0) {
    Drain(source, options, {}, &out);
    return out;
  }
  auto splits = source.Splits(options.split_bytes);
  if (!splits.ok()) {
    out.status = splits.status();
    return out;
  }
  for (const frame::Split& split : *splits) Drain(source, options, {split}, &out);
  return out;
}

inline ReadOutcome ReadSpec(const Json& spec, const ReadOptions& options = {}) {
  Diagnostics errors;
  const auto source = MakeCsvSource(spec, {}, errors, options.tuning);
  if (!source.ok()) {
    ReadOutcome out;
    out.status = source.status();
    return out;
  }
  return Read(**source, options);
}

/// Read bytes as if they were a file; `spec` has every key but csv.
inline ReadOutcome ReadText(std::string_view bytes, Json spec = Json::object(), const ReadOptions& options = {}) {
  const TestFolder folder;
  spec["csv"] = folder.Write("in.csv", bytes);
  return ReadSpec(spec, options);
}

}  // namespace mutirao::formats::csv
