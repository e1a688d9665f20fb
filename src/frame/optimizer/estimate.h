#pragma once

#include <functional>
#include <optional>
#include <unordered_map>

#include "frame/plan/plan.h"

namespace mutirao::frame {

/// Guess how many rows plans give, from what their sources know. Threads: one.
class RowEstimator {
 public:
  /// `share_of` tells what share of a scan's rows its predicate keeps, for who knows better than the predicate's form.
  using ShareOf = std::function<std::optional<double>(const ScanNode&)>;
  explicit RowEstimator(ShareOf share_of = {}) : share_of_(std::move(share_of)) {}

  /// Nothing when a source does not know.
  std::optional<double> Rows(const PlanNode& node);

 private:
  std::optional<double> Compute(const PlanNode& node);
  std::optional<double> JoinRows(const JoinNode& join);
  std::optional<double> ScanRows(const ScanNode& scan);

  const ShareOf share_of_;
  std::unordered_map<const PlanNode*, std::optional<double>> known_;
};

}  // namespace mutirao::frame
