#pragma once

#include <map>

#include "frame/plan/plan.h"

namespace mutirao::engine {

/// Say which nodes give their rows in an order that means something: behind a sort, or behind scans that preserve it.
///
/// Threads: one at a time (answers are remembered).
class PlanOrder {
 public:
  bool IsOrdered(const frame::PlanNode& node);

  /// The side of a join that is not put into the table: what the node says, but an ordered left side is never put
  /// there, so that its order comes through.
  const frame::PlanNode& ProbeOf(const frame::JoinNode& node);

 private:
  std::map<const frame::PlanNode*, bool> known_;
};

}  // namespace mutirao::engine
