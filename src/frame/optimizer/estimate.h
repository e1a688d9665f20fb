#pragma once

#include <functional>
#include <optional>
#include <unordered_map>

#include "frame/plan/plan.h"

namespace mutirao::frame {

/// Guess how many rows plans give, from what their sources know. Threads: one.
class RowEstimator {
 public:
  /// `rows_of` tells how many rows the predicate of a scan keeps, for who knows better than the predicate's form.
  using RowsOf = std::function<std::optional<double>(const ScanNode&)>;
  explicit RowEstimator(RowsOf rows_of = {}) : rows_of_(std::move(rows_of)) {}

  /// Nothing when a source does not know.
  std::optional<double> Rows(const PlanNode& node);

 private:
  std::optional<double> Compute(const PlanNode& node);
  std::optional<double> JoinRows(const JoinNode& join);
  std::optional<double> ScanRows(const ScanNode& scan);

  const RowsOf rows_of_;
  std::unordered_map<const PlanNode*, std::optional<double>> known_;
};

}  // namespace mutirao::frame
