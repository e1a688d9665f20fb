#include "frame/optimizer/expr_facts.h"
#include "frame/optimizer/rewrite.h"
#include "frame/optimizer/rules.h"

namespace mutirao::frame {
namespace {

Result<PlanPtr> Combine(const PlanPtr& node, const Uses& uses) {
  if (node->kind() != NodeKind::kFilter) return node;
  const auto& upper = static_cast<const FilterNode&>(*node);
  if (IsLiteral(*upper.predicate, true)) return node->input();
  if (node->input()->kind() != NodeKind::kFilter || uses.shared(node->input())) return node;
  const auto& lower = static_cast<const FilterNode&>(*node->input());

  // A condition that can fail may rely on the lower filter to keep bad rows away from it.
  std::vector<ExprPtr> down = SplitConjunction(lower.predicate);
  std::vector<ExprPtr> stay;
  size_t before = down.size();
  for (const ExprPtr& conjunct : SplitConjunction(upper.predicate)) {
    (CanFail(*conjunct) ? stay : down).push_back(conjunct);
  }
  if (down.size() == before) return node;
  PlanPtr combined = MUTIRAO_TRY(MakeFilter(lower.input(), JoinConjunction(down)));
  if (stay.empty()) return combined;
  return MakeFilter(std::move(combined), JoinConjunction(stay));
}

class CombineFilters final : public Rule {
 public:
  std::string_view name() const override { return "combine_filters"; }
  Result<std::vector<PlanPtr>> Apply(const std::vector<PlanPtr>& roots) const override {
    return RewriteInputsFirst(roots, Combine);
  }
};

}  // namespace

const Rule& CombineFiltersRule() {
  static const auto* rule = new CombineFilters();
  return *rule;
}

}  // namespace mutirao::frame
