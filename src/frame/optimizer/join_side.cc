#include <arrow/type.h>

#include "frame/optimizer/estimate.h"
#include "frame/optimizer/rewrite.h"
#include "frame/optimizer/rules.h"

namespace mutirao::frame {
namespace {

// The size of a side in the hash table, in values.
std::optional<double> Values(RowEstimator& estimator, const PlanNode& side) {
  auto rows = estimator.Rows(side);
  if (!rows) return std::nullopt;
  return *rows * side.schema()->num_fields();
}

Result<PlanPtr> ChooseSide(const PlanPtr& node) {
  if (node->kind() != NodeKind::kJoin) return node;
  const auto& join = static_cast<const JoinNode&>(*node);
  RowEstimator estimator;
  auto left = Values(estimator, *join.left());
  auto right = Values(estimator, *join.right());
  // Unknown sizes: the right side, which is the one that is looked up in as people write it.
  bool build_right = !left || !right || *right <= *left;
  if (build_right == join.spec.build_right) return node;
  JoinNode::Spec spec = join.spec;
  spec.build_right = build_right;
  return MakeJoin(join.left(), join.right(), std::move(spec));
}

class JoinSide final : public Rule {
 public:
  std::string_view name() const override { return "join_side"; }
  Result<std::vector<PlanPtr>> Apply(const std::vector<PlanPtr>& roots) const override {
    return RewriteInputsFirst(roots, [](const PlanPtr& node, const Uses&) { return ChooseSide(node); });
  }
};

}  // namespace

const Rule& JoinSideRule() {
  static const auto* rule = new JoinSide();
  return *rule;
}

}  // namespace mutirao::frame
