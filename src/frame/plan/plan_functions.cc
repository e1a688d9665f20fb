#include <unordered_set>

#include "frame/plan/plan_json.h"

namespace mutirao::frame {
namespace {

void Collect(const Expr& expr, FunctionSet& functions) {
  if (expr.function() != nullptr) functions.emplace(expr.function()->name, expr.function());
  for (const ExprPtr& arg : expr.args()) Collect(*arg, functions);
}

void CollectNode(const PlanNode& node, FunctionSet& functions) {
  switch (node.kind()) {
    case NodeKind::kScan:
      if (const auto& predicate = static_cast<const ScanNode&>(node).predicate) Collect(*predicate, functions);
      return;
    case NodeKind::kFilter:
      return Collect(*static_cast<const FilterNode&>(node).predicate, functions);
    case NodeKind::kProject:
      for (const NamedExpr& column : static_cast<const ProjectNode&>(node).columns) Collect(*column.expr, functions);
      return;
    case NodeKind::kQuarantine:
      return Collect(*static_cast<const QuarantineNode&>(node).when, functions);
    default:
      return;  // the others name columns
  }
}

}  // namespace

FunctionSet FunctionsOf(const std::vector<PlanPtr>& roots) {
  FunctionSet functions;
  std::unordered_set<const PlanNode*> seen;
  std::vector<const PlanNode*> waiting;
  for (const PlanPtr& root : roots) waiting.push_back(root.get());
  while (!waiting.empty()) {
    const PlanNode* node = waiting.back();
    waiting.pop_back();
    if (!seen.insert(node).second) continue;
    CollectNode(*node, functions);
    for (const PlanPtr& input : node->inputs()) waiting.push_back(input.get());
  }
  return functions;
}

}  // namespace mutirao::frame
