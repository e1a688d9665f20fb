#include "frame/optimizer/rewrite.h"

#include <algorithm>
#include <unordered_set>

namespace mutirao::frame {

Uses::Uses(const std::vector<PlanPtr>& roots) {
  for (const PlanPtr& root : roots) Count(root);
}

void Uses::Count(const PlanPtr& node) {
  Entry& entry = count_[node.get()];
  entry.node = node;
  if (++entry.times > 1) return;
  for (const PlanPtr& input : node->inputs()) Count(input);
}

void Uses::Inherit(const PlanPtr& node, const PlanPtr& original) {
  int times = count_.at(original.get()).times;
  Entry& entry = count_[node.get()];
  entry = {node, std::max(entry.times, times)};
}

Result<std::vector<PlanPtr>> RewriteInputsFirst(const std::vector<PlanPtr>& roots, const NodeRewrite& rewrite) {
  Uses uses(roots);
  std::unordered_map<const PlanNode*, PlanPtr> done;
  std::vector<PlanPtr> order = ReadersFirst(roots);
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    std::vector<PlanPtr> inputs;
    for (const PlanPtr& input : (*node)->inputs()) inputs.push_back(done.at(input.get()));
    PlanPtr rebuilt = MUTIRAO_TRY(WithInputs(*node, std::move(inputs)));
    uses.Inherit(rebuilt, *node);
    PlanPtr rewritten = MUTIRAO_TRY(rewrite(rebuilt, uses));
    uses.Inherit(rewritten, *node);
    done[node->get()] = std::move(rewritten);
  }
  std::vector<PlanPtr> out;
  for (const PlanPtr& root : roots) out.push_back(done.at(root.get()));
  return out;
}

std::vector<PlanPtr> ReadersFirst(const std::vector<PlanPtr>& roots) {
  std::vector<PlanPtr> order;
  std::unordered_set<const PlanNode*> seen;
  std::function<void(const PlanPtr&)> visit = [&](const PlanPtr& node) {
    if (!seen.insert(node.get()).second) return;
    for (const PlanPtr& input : node->inputs()) visit(input);
    order.push_back(node);
  };
  for (const PlanPtr& root : roots) visit(root);
  std::reverse(order.begin(), order.end());
  return order;
}

namespace {

Result<PlanPtr> ProjectWith(const PlanPtr& node, const std::function<ExprPtr(const ExprPtr&, bool)>& replace) {
  std::vector<NamedExpr> columns = static_cast<const ProjectNode&>(*node).columns;
  bool changed = false;
  for (NamedExpr& column : columns) {
    ExprPtr replaced = replace(column.expr, false);
    changed = changed || replaced != column.expr;
    column.expr = std::move(replaced);
  }
  if (!changed) return node;
  return MakeProject(node->input(), columns);
}

Result<PlanPtr> ScanWith(const PlanPtr& node, const std::function<ExprPtr(const ExprPtr&, bool)>& replace) {
  const auto& scan = static_cast<const ScanNode&>(*node);
  if (scan.predicate == nullptr) return node;
  ExprPtr replaced = replace(scan.predicate, true);
  if (replaced == scan.predicate || !scan.source->CanPush(*replaced)) return node;
  return MakeScan(scan.source, scan.schema()->field_names(), replaced, scan.limit, scan.preserve_order);
}

}  // namespace

Result<PlanPtr> WithExpressions(const PlanPtr& node, const std::function<ExprPtr(const ExprPtr&, bool)>& replace) {
  switch (node->kind()) {
    case NodeKind::kScan:
      return ScanWith(node, replace);
    case NodeKind::kProject:
      return ProjectWith(node, replace);
    case NodeKind::kFilter: {
      const ExprPtr& predicate = static_cast<const FilterNode&>(*node).predicate;
      ExprPtr replaced = replace(predicate, true);
      if (replaced == predicate) return node;
      return MakeFilter(node->input(), replaced);
    }
    case NodeKind::kQuarantine: {
      const auto& quarantine = static_cast<const QuarantineNode&>(*node);
      ExprPtr replaced = replace(quarantine.when, true);
      if (replaced == quarantine.when) return node;
      bool keeps = node->schema()->num_fields() == node->input()->schema()->num_fields();
      return MakeQuarantine(node->input(), replaced, quarantine.reason, {}, nullptr, keeps);
    }
    default:
      return node;
  }
}

}  // namespace mutirao::frame
