#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.h"
#include "columnar/type.h"
#include "frame/expr/expr.h"

namespace mutirao::frame {

/// Columns that a source made with `provenance: true` has after its own ones: where each row came from. A quarantine
/// step reads them; the builder asks for them when such a step follows, and drops them after it.
inline constexpr const char* kSourceColumn = "$source";           ///< string
inline constexpr const char* kMemberColumn = "$member";           ///< string, null outside archives
inline constexpr const char* kLineColumn = "$line";               ///< int64
inline constexpr const char* kByteOffsetColumn = "$byte_offset";  ///< int64
inline constexpr const char* kRawColumn = "$raw";                 ///< binary

/// A piece of a source that one task can read by itself: a file, a member of an archive, a byte range, row groups.
struct Split {
  /// What the source needs to find the piece again, in any process.
  Json description;
  /// Bytes to read, for balancing; -1 when unknown.
  int64_t bytes = -1;
  /// Rows, when known without reading; -1 otherwise.
  int64_t rows = -1;
};

/// What a scan is asked for.
struct ScanRequest {
  /// The pieces to read; the source gives all of them when this is empty and `all_splits` is set.
  std::vector<Split> splits;
  /// Columns to deliver, in this order; names of schema().
  std::vector<std::string> columns;
  /// A bound predicate over schema(); rows for which it is not true are not delivered and are counted as filtered.
  /// Null when nothing was pushed. Its columns need not be among `columns`.
  ExprPtr predicate;
  /// Stop after about this many delivered rows (a hint; the limit operator makes it exact).
  std::optional<int64_t> limit;
  /// How many threads will call Next(); their numbers are 0 … workers-1.
  int workers = 1;
  int64_t batch_rows = 65536;
  /// Deliver morsels whose sequence numbers can restore the input's order, ascending for each worker.
  bool preserve_order = false;
  /// The part of each file, from the front, that memory can keep for the next time; 1: all.
  double cached_share = 1;
};

/// What a scan counts while it runs. Threads: any may read at any time.
struct ScanCounters {
  std::atomic<int64_t> rows_read{0};         ///< records found, good or bad
  std::atomic<int64_t> rows_filtered{0};     ///< dropped by the pushed predicate
  std::atomic<int64_t> rows_quarantined{0};  ///< bad records set aside
  std::atomic<int64_t> rows_delivered{0};    ///< handed to the plan
  std::atomic<int64_t> rows_skipped{0};      ///< read, good, but not wanted any more because of a limit
  std::atomic<int64_t> bytes_read{0};        ///< of stored bytes (compressed when the file is)
  std::atomic<int64_t> bytes_total{0};       ///< stored bytes of all splits; for progress
  std::atomic<int64_t> blank_lines{0};
  std::atomic<int64_t> nul_bytes_dropped{0};
  std::atomic<int64_t> values_nulled{0};  ///< on_error: null, fields that did not convert and became null
};

/// A record that could not be used, as it is kept aside.
struct QuarantinedRow {
  std::string source;        ///< file as the user named it
  std::string member;        ///< archive member, or empty
  int64_t line = -1;         ///< physical line where the record begins, from 1; -1 unknown
  int64_t byte_offset = -1;  ///< of the record in the (inflated) file
  std::string column;        ///< the field at fault, or empty when it is the record's shape
  std::string reason;
  std::string raw;  ///< the record's bytes as they were
};

/// Takes quarantined rows. Threads: any, at once.
class QuarantineSink {
 public:
  virtual ~QuarantineSink() = default;
  virtual Status Add(QuarantinedRow row) = 0;
};

/// What stands around a scan while it runs.
struct ScanContext {
  std::stop_token stop;
  ScanCounters* counters = nullptr;      ///< never null
  QuarantineSink* quarantine = nullptr;  ///< null: quarantining is an error of the caller
  /// Told once for each new warning text ("header name 3 is empty and became column_3").
  std::function<void(const std::string&)> warn;
};

/// A batch and its place in the input's order (unique per scan, ascending in file order).
struct Morsel {
  BatchPtr batch;
  int64_t sequence = 0;
};

/// A running scan. Next() may be called by all workers at once; work is claimed inside.
class Scan {
 public:
  virtual ~Scan() = default;
  /// Give the next batch (never empty) or, at the end, one with a null batch.
  /// Errors: kInvalid with file, line and byte offset for bad data; kCancelled when asked to stop. After an error by
  /// any worker every later call fails.
  virtual Result<Morsel> Next(int worker) = 0;
};

/// Something rows come from. Immutable; describes itself as JSON, so that any process can make it again.
class Source {
 public:
  virtual ~Source() = default;

  /// The registry's name of the kind: "csv", "parquet", "ipc", "inline", "exchange".
  virtual std::string kind() const = 0;

  /// All columns that can be asked for, in plan types.
  virtual const SchemaPtr& schema() const = 0;

  /// The spec from which the registry makes an equal source, complete: schema included, nothing to be sniffed again.
  virtual Json ToJson() const = 0;

  /// The stored files it reads, in the form that storage takes; empty for what is no file.
  virtual std::vector<std::string> Files() const { return {}; }

  /// One line for `explain` and reports: "csv data/cnpj/Empresas*.zip (2 files)".
  virtual std::string Describe() const = 0;

  /// Say whether a bound predicate can be evaluated inside the scan exactly. What is refused stays a filter above.
  virtual bool CanPush(const Expr& predicate) const = 0;

  /// Rows and stored bytes, when known or estimated from sizes; -1 unknown.
  virtual int64_t EstimatedRows() const { return -1; }
  virtual int64_t TotalBytes() const { return -1; }

  /// Stored bytes that a scan of these columns reads: fewer than TotalBytes() where columns are stored apart.
  virtual int64_t BytesToRead(const std::vector<std::string>& /*columns*/) const { return TotalBytes(); }

  /// About how many nanoseconds a core needs to read these columns and give `rows` of the rows. Only ratios count: it
  /// weighs the scans of a plan against each other, for progress. Negative when unknown.
  virtual double ReadingCost(const std::vector<std::string>& columns, double rows) const {
    return EstimatedRows() < 0 ? -1 : rows * static_cast<double>(columns.size()) * kReadValue;
  }
  static constexpr double kReadValue = 25;  ///< nanoseconds; job J2 of bench

  /// The pieces, at most about `target_bytes` each where the format can be cut; 0: cut only where no reading is needed.
  virtual Result<std::vector<Split>> Splits(int64_t target_bytes) const = 0;

  virtual Result<std::unique_ptr<Scan>> Open(const ScanRequest& request, const ScanContext& context) const = 0;
};
using SourcePtr = std::shared_ptr<const Source>;

}  // namespace mutirao::frame
