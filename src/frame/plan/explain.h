#pragma once

#include <functional>
#include <string>
#include <vector>

#include "frame/plan/plan.h"

namespace mutirao::frame {

/// Draw plans as an indented tree, root first; a node used twice is drawn once and then referred to as "(see #3)".
/// `note` may add text behind a node's line (rows and time after a run).
std::string ExplainPlan(const std::vector<PlanPtr>& roots, const std::function<std::string(const PlanNode&)>& note = {});

/// The line of one node without its inputs: "filter uf = 'SP'".
std::string DescribeNode(const PlanNode& node);

}  // namespace mutirao::frame
