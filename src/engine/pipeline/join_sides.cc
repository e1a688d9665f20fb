#include "engine/pipeline/join_sides.h"

#include <algorithm>

#include <arrow/api.h>

#include "frame/expr/evaluate.h"
#include "frame/source.h"

namespace mutirao::engine {
namespace {

constexpr int64_t kSampledRows = 8192;
// A sample that has no row that passes does not mean that there is none.
constexpr double kLeastShare = 0.002;

// Nanoseconds for a value of a table that is taken out again, where every row misses the cache: `mutirao-engine-bench
// --benchmark_filter=TakeValues` has 7 for those of a fixed width and 22 for texts.
constexpr double kTakeValue = 20;

// Bad rows are for the scan itself to report.
class NoQuarantine : public frame::QuarantineSink {
 public:
  Status Add(frame::QuarantinedRow) override { return {}; }
};

// What joining costs beyond looking up the rows of the other side, which is the same for both.
double CostOf(double build_rows, double probe_rows, size_t values_of_a_row) {
  return build_rows * kBuildRow + std::min(build_rows, probe_rows) * static_cast<double>(values_of_a_row) * kTakeValue;
}

// All rows of the splits: what they say, or as many a byte as in what was read.
double RowsIn(const frame::Source& source, const std::vector<frame::Split>& splits, const frame::ScanCounters& read) {
  double rows = 0;
  double bytes = 0;
  for (const frame::Split& split : splits) {
    rows = rows < 0 || split.rows < 0 ? -1 : rows + static_cast<double>(split.rows);
    bytes += static_cast<double>(std::max<int64_t>(split.bytes, 0));
  }
  if (rows >= 0) return rows;
  const auto bytes_read = static_cast<double>(read.bytes_read);
  if (bytes <= 0 || bytes_read <= 0) return static_cast<double>(source.EstimatedRows());
  return bytes * static_cast<double>(read.rows_read) / bytes_read;
}

// Counts the rows that pass among the first ones of a split, to tell how many pass of all.
Result<std::optional<double>> Sample(const frame::ScanNode& scan, std::stop_token stop) {
  std::vector<frame::Split> splits = MUTIRAO_TRY(scan.source->Splits(0));
  if (splits.empty()) return std::optional<double>();
  frame::ScanRequest request{.splits = {splits[splits.size() / 2]}, .limit = kSampledRows, .batch_rows = kSampledRows};
  request.columns = frame::ColumnsOf(*scan.predicate);
  arrow::FieldVector fields;
  for (const std::string& name : request.columns) fields.push_back(scan.source->schema()->GetFieldByName(name));
  auto evaluator = MUTIRAO_TRY(frame::Evaluator::Make(scan.predicate, arrow::schema(std::move(fields))));
  frame::ScanCounters counters;
  NoQuarantine quarantine;
  auto running = MUTIRAO_TRY(
      scan.source->Open(request, {.stop = std::move(stop), .counters = &counters, .quarantine = &quarantine}));
  int64_t seen = 0;
  int64_t kept = 0;
  while (seen < kSampledRows) {
    const frame::Morsel morsel = MUTIRAO_TRY(running->Next(0));
    if (morsel.batch == nullptr) break;
    auto keep = MUTIRAO_TRY(evaluator->Evaluate(*morsel.batch));
    auto passed = MUTIRAO_TRY(frame::FilterBatch(morsel.batch, *keep));
    seen += morsel.batch->num_rows();
    kept += passed->num_rows();
  }
  if (seen == 0) return std::optional<double>();
  const double share = std::max(kLeastShare, static_cast<double>(kept) / static_cast<double>(seen));
  const double rows = RowsIn(*scan.source, splits, counters);
  return rows < 0 ? std::nullopt : std::optional<double>(share * rows);
}

}  // namespace

JoinSides::JoinSides(std::stop_token stop)
    : stop_(std::move(stop)), estimator_([this](const frame::ScanNode& scan) { return RowsOf(scan); }) {}

bool JoinSides::BuildRight(const frame::JoinNode& join) {
  if (const auto known = known_.find(&join); known != known_.end()) return known->second;
  bool build_right = join.spec.build_right;
  const auto left = estimator_.Rows(*join.left());
  const auto right = estimator_.Rows(*join.right());
  if (left && right) {
    build_right =
        CostOf(*right, *left, join.spec.right_output.size()) <= CostOf(*left, *right, join.spec.left_output.size());
  }
  known_[&join] = build_right;
  return build_right;
}

// A sample that fails is no failure: the scan will tell.
std::optional<double> JoinSides::RowsOf(const frame::ScanNode& scan) {
  auto rows = Sample(scan, stop_);
  return rows.ok() ? *rows : std::nullopt;
}

}  // namespace mutirao::engine
