#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mutirao/expr.h>
#include <mutirao/status.h>
#include <mutirao/table.h>

namespace mutirao {

namespace frame {
class PlanNode;
}

/// The kinds of join. Null keys never match.
enum class Join { kInner, kLeft, kRight, kFull, kSemi, kAnti, kCross };

/// A key of a join: one name for both sides, or one for each.
struct JoinKey {
  std::string left;
  std::string right;
  JoinKey(const char* both) : left(both), right(both) {}             // NOLINT: {.on = {"id"}}
  JoinKey(std::string both) : left(both), right(std::move(both)) {}  // NOLINT
  JoinKey(std::string left, std::string right) : left(std::move(left)), right(std::move(right)) {}
};

struct JoinOptions {
  std::vector<JoinKey> on;
  Join how = Join::kInner;
  /// Added to names of right columns that the left side has too.
  std::string suffix = "_2";
};

/// An output column and how it is computed; a plain name is the column of that name.
struct Column {
  std::string name;
  Expr expr;
  Column(const char* name) : name(name), expr(Col(name)) {}  // NOLINT: Select({"a", "b"})
  Column(std::string name) : name(name), expr(Col(name)) {}  // NOLINT
  Column(std::string name, Expr expr) : name(std::move(name)), expr(std::move(expr)) {}
};

struct SampleOptions {
  std::optional<double> fraction;  ///< share of the rows, 0 … 1
  std::optional<int64_t> count;    ///< or a number of rows
  uint64_t seed = 0;
};

struct WriteOptions {
  enum class Mode { kError, kOverwrite, kAppend };
  Mode mode = Mode::kError;  ///< what to do when the target exists
  std::string compression = "zstd";
  std::vector<std::string> partition_by;
  /// Bytes that sorts, groups, joins and shared frames may hold; more goes to disk. 0: half of what there is.
  int64_t memory = 0;
  /// Folder for what goes to disk; empty: $TMPDIR or /var/tmp.
  std::string spill_dir;
};

/// What a finished write did. read = written + filtered + quarantined for plans of one source without joins.
struct WriteReport {
  std::string target;
  int64_t rows_read = 0;
  int64_t rows_written = 0;
  int64_t rows_filtered = 0;
  int64_t rows_quarantined = 0;
  int64_t files = 0;
  double seconds = 0;
};

/// A lazy table: a plan that says how rows come to be. Nothing is read before Collect() or a Write… asks.
///
/// Methods give new frames. A fault (unknown column, wrong type) is kept and named after the call that made it:
/// status() tells, a `Result<Frame>` made from the frame fails, and so does every action.
///
/// Ownership: shared, immutable, cheap to copy. Threads: any.
class Frame {
 public:
  Frame Filter(const Expr& condition) const;
  Frame Select(const std::vector<Column>& columns) const;
  /// Add columns or replace those of the same name, all computed from the row as it came in.
  Frame Derive(const std::vector<Column>& columns) const;
  Frame Derive(std::string name, Expr expr) const;
  Frame Rename(const std::vector<std::pair<std::string, std::string>>& old_and_new) const;
  Frame Drop(const std::vector<std::string>& names) const;
  mutirao::Frame Join(const Frame& right, const JoinOptions& options) const;
  /// `with` are expressions over aggregates: {"total", Sum(Col("x")) / Count()}.
  Frame Aggregate(const std::vector<Column>& by, const std::vector<Column>& with) const;
  /// Keep one row of those equal in `columns`; in all columns when none is named.
  Frame Distinct(std::vector<std::string> columns = {}) const;
  /// "uf" ascending, "-capital" descending; nulls last.
  Frame Sort(const std::vector<std::string>& keys) const;
  Frame Limit(int64_t count) const;
  Frame Sample(const SampleOptions& options) const;
  Frame Union(const std::vector<Frame>& others) const;
  /// One row an element of a list column, or a piece of a text column between separators.
  Frame Unnest(std::string column, std::optional<std::string> separator = std::nullopt) const;

  const Status& status() const { return status_; }
  /// Names and types, "uf: string", in order. REQUIRES: status().ok().
  std::vector<std::string> DescribeColumns() const;
  /// The plan as text; after optimisation, with what is pushed where, when `optimized`.
  Result<std::string> Explain(bool optimized = true) const;

  // Actions: these run the plan on all cores of this machine.

  /// Give all rows in memory.
  Result<Table> Collect() const;
  /// Write Parquet so that readers see the old dataset or the whole new one. `path` is a folder, or a file when it ends
  /// in ".parquet". Errors: kAlreadyExists, kInvalid for bad input, kIo; nothing is left behind by a failure.
  Result<WriteReport> WriteParquet(const std::string& path, const WriteOptions& options = {}) const;
  Result<WriteReport> WriteCsv(const std::string& path, const WriteOptions& options = {}) const;

  // For code of ours and for those who want the plan itself.
  explicit Frame(std::shared_ptr<const frame::PlanNode> plan);
  explicit Frame(Status failure);
  const std::shared_ptr<const frame::PlanNode>& plan() const { return plan_; }

 private:
  Frame Then(const char* call, const std::function<Result<std::shared_ptr<const frame::PlanNode>>()>& make) const;
  Result<WriteReport> Write(const char* kind, const std::string& path, const WriteOptions& options) const;

  std::shared_ptr<const frame::PlanNode> plan_;
  Status status_;
};

}  // namespace mutirao
