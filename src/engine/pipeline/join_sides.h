#pragma once

#include <map>
#include <optional>
#include <stop_token>

#include "frame/optimizer/estimate.h"
#include "frame/plan/plan.h"

namespace mutirao::engine {

/// Nanoseconds that a row costs which goes into a table of a million rows and more: to hash, to place and to look for
/// partners at the end. `mutirao-engine-bench --benchmark_filter=BuildTable` measures the middle of it.
constexpr double kBuildRow = 40;

/// Choose which side of a join goes into the table, just before it runs, by what its scans really give: how many rows
/// pass a scan's predicate is looked up in some of its rows, where the optimizer, which reads nothing, can only guess.
///
/// Threads: one at a time. Cost: a few thousand rows of each scan with a predicate below a join, once.
class JoinSides {
 public:
  explicit JoinSides(std::stop_token stop);

  /// True for the right side. What the node says where sizes are not known.
  bool BuildRight(const frame::JoinNode& join);

  /// About how many rows a node gives; nothing when a source below it does not know.
  std::optional<double> Rows(const frame::PlanNode& node) { return estimator_.Rows(node); }

 private:
  std::optional<double> RowsOf(const frame::ScanNode& scan);

  const std::stop_token stop_;
  frame::RowEstimator estimator_;
  std::map<const frame::PlanNode*, bool> known_;
};

}  // namespace mutirao::engine
