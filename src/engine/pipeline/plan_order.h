#pragma once

#include <functional>
#include <map>
#include <utility>

#include "frame/plan/plan.h"

namespace mutirao::engine {

/// Say which nodes give their rows in an order that means something: behind a sort, or behind scans that preserve it.
///
/// Threads: one at a time (answers are remembered).
class PlanOrder {
 public:
  /// `build_right` says of joins whose sides are free which goes into the table; without it, they say so themselves.
  using BuildRight = std::function<bool(const frame::JoinNode&)>;
  explicit PlanOrder(BuildRight build_right = {}) : build_right_(std::move(build_right)) {}

  bool IsOrdered(const frame::PlanNode& node);

  /// The side of a join that is not put into the table. An ordered left side never is, so that its order comes through.
  const frame::PlanNode& ProbeOf(const frame::JoinNode& node);

 private:
  const BuildRight build_right_;
  std::map<const frame::PlanNode*, bool> known_;
};

}  // namespace mutirao::engine
