#include <algorithm>

#include "frame/optimizer/expr_facts.h"
#include "frame/optimizer/rewrite.h"
#include "frame/optimizer/rules.h"

namespace mutirao::frame {
namespace {

// Work done for each row that a condition removes: the less, the earlier.
double Rank(const Expr& conjunct) {
  double removed = std::max(1 - Selectivity(conjunct), 0.01);
  return EvaluationCost(conjunct) / removed;
}

ExprPtr Reorder(const ExprPtr& predicate) {
  std::vector<ExprPtr> conjuncts = SplitConjunction(predicate);
  std::vector<ExprPtr> sorted = conjuncts;
  // What can fail goes last and keeps its order: the others may keep bad rows away from it.
  auto failing =
      std::stable_partition(sorted.begin(), sorted.end(), [](const ExprPtr& conjunct) { return !CanFail(*conjunct); });
  std::stable_sort(sorted.begin(), failing, [](const ExprPtr& a, const ExprPtr& b) { return Rank(*a) < Rank(*b); });
  return sorted == conjuncts ? predicate : JoinConjunction(sorted);
}

class ReorderFilters final : public Rule {
 public:
  std::string_view name() const override { return "reorder_filters"; }
  Result<std::vector<PlanPtr>> Apply(const std::vector<PlanPtr>& roots) const override {
    return RewriteInputsFirst(roots, [](const PlanPtr& node, const Uses&) -> Result<PlanPtr> {
      if (node->kind() != NodeKind::kFilter && node->kind() != NodeKind::kScan) return node;
      return WithExpressions(node, [](const ExprPtr& expr, bool) { return Reorder(expr); });
    });
  }
};

}  // namespace

const Rule& ReorderFiltersRule() {
  static const auto* rule = new ReorderFilters();
  return *rule;
}

}  // namespace mutirao::frame
