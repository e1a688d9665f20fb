#include "engine/pipeline/plan_order.h"

#include <algorithm>

namespace mutirao::engine {

using frame::NodeKind;
using frame::PlanNode;

namespace {

// Nodes that give one row or batch for each they get, in the same order.
bool KeepsOrder(NodeKind kind) {
  switch (kind) {
    case NodeKind::kFilter:
    case NodeKind::kProject:
    case NodeKind::kLimit:
    case NodeKind::kSample:
    case NodeKind::kUnnest:
    case NodeKind::kQuarantine:
    case NodeKind::kExchange:
    case NodeKind::kWrite:
    case NodeKind::kDistinct:
    case NodeKind::kUnion:
      return true;
    default:
      return false;
  }
}

bool AllOrdered(PlanOrder& order, const PlanNode& node) {
  const auto& inputs = node.inputs();
  return std::all_of(inputs.begin(), inputs.end(),
                     [&](const frame::PlanPtr& input) { return order.IsOrdered(*input); });
}

}  // namespace

bool PlanOrder::IsOrdered(const PlanNode& node) {
  const auto known = known_.find(&node);
  if (known != known_.end()) return known->second;
  bool ordered = false;
  if (node.kind() == NodeKind::kScan) {
    ordered = static_cast<const frame::ScanNode&>(node).preserve_order;
  } else if (node.kind() == NodeKind::kSort) {
    ordered = true;
  } else if (node.kind() == NodeKind::kJoin) {
    ordered = IsOrdered(ProbeOf(static_cast<const frame::JoinNode&>(node)));
  } else if (KeepsOrder(node.kind())) {
    ordered = AllOrdered(*this, node);
  }
  known_[&node] = ordered;
  return ordered;
}

const PlanNode& PlanOrder::ProbeOf(const frame::JoinNode& node) {
  if (IsOrdered(*node.left())) return *node.left();
  const bool build_right = build_right_ ? build_right_(node) : node.spec.build_right;
  return build_right ? *node.left() : *node.right();
}

}  // namespace mutirao::engine
