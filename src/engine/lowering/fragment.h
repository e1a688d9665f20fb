#pragma once

#include <map>
#include <vector>

#include "frame/plan/plan.h"

namespace mutirao::engine {

/// What one scan of one task reads: splits of a source, or what an earlier stage wrote.
struct ScanInput {
  std::vector<frame::Split> splits;
  int stage = -1;  ///< -1: `splits` say all
  int bucket = 0;  ///< of every file of that stage …
  int task = -1;   ///< … or of the file of this task alone
};

/// The inputs of one task by scan node. A scan that is not named reads nothing.
using TaskInputs = std::map<const frame::PlanNode*, ScanInput>;

/// A plan that can run in several tasks side by side without talking.
struct Fragment {
  frame::PlanPtr plan;
  std::vector<TaskInputs> tasks;

  bool is_single() const { return tasks.size() == 1; }
};

/// All nodes below roots, each once, inputs before the nodes that read them: the order in which a task document and
/// its result number them.
std::vector<const frame::PlanNode*> NodesOf(const std::vector<frame::PlanPtr>& roots);

}  // namespace mutirao::engine
