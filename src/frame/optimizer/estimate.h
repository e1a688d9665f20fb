#pragma once

#include <optional>
#include <unordered_map>

#include "frame/plan/plan.h"

namespace mutirao::frame {

/// Guess how many rows plans give, from what their sources know. Threads: one.
class RowEstimator {
 public:
  /// Nothing when a source does not know.
  std::optional<double> Rows(const PlanNode& node);

 private:
  std::optional<double> Compute(const PlanNode& node);
  std::optional<double> JoinRows(const JoinNode& join);
  std::unordered_map<const PlanNode*, std::optional<double>> known_;
};

}  // namespace mutirao::frame
