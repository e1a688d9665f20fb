#pragma once

#include <map>
#include <vector>

#include "engine/pipeline/join_sides.h"
#include "engine/pipeline/plan_order.h"
#include "frame/plan/plan.h"

namespace mutirao::engine {

/// About what the parts of a plan cost, in nanoseconds of one core of no machine in particular: only how they stand to
/// each other counts. Stored bytes do not tell it where the scans of a join read different columns or formats, and
/// their rows go through different operators.
struct WorkEstimate {
  struct Join {
    double table = 0;     ///< building it, when its rows are there
    double above = 0;     ///< what is done with the rows of the other side, from looking them up on
    double spilling = 0;  ///< if all rows of both sides went to disk and came back
    std::vector<const frame::PlanNode*> probes;  ///< the scans whose rows are looked up
  };
  /// Reading, and what is done with the rows until they are kept or written.
  std::map<const frame::PlanNode*, double> scans;
  std::map<const frame::PlanNode*, Join> joins;

  /// Empty where nothing has to be weighed (no join), or a source does not know how large it is.
  /// `nodes`: of all plans that run together, inputs first. Cost: that of JoinSides.
  static WorkEstimate Of(const std::vector<const frame::PlanNode*>& nodes, JoinSides& sides, PlanOrder& order);
};

}  // namespace mutirao::engine
