#include <algorithm>

#include <arrow/type.h>

#include "frame/optimizer/rewrite.h"
#include "frame/optimizer/rules.h"

namespace mutirao::frame {
namespace {

// Say whether a plan gives at most `count` rows because a limit near its top says so.
bool IsLimitedTo(const PlanNode& node, int64_t count) {
  if (node.kind() == NodeKind::kLimit) return static_cast<const LimitNode&>(node).count <= count;
  return node.kind() == NodeKind::kProject && IsLimitedTo(*node.input(), count);
}

Result<PlanPtr> LimitUnionInputs(const PlanPtr& limit, const PlanPtr& rows, int64_t count) {
  std::vector<PlanPtr> inputs = rows->inputs();
  for (PlanPtr& input : inputs) {
    if (!IsLimitedTo(*input, count)) input = MUTIRAO_TRY(MakeLimit(input, count));
  }
  PlanPtr limited = MUTIRAO_TRY(WithInputs(rows, std::move(inputs)));
  return WithInputs(limit, {std::move(limited)});
}

Result<PlanPtr> PushLimit(const PlanPtr& node, const Uses& uses) {
  if (node->kind() != NodeKind::kLimit || uses.shared(node->input())) return node;
  int64_t count = static_cast<const LimitNode&>(*node).count;
  const PlanPtr& rows = node->input();
  switch (rows->kind()) {
    case NodeKind::kLimit: {
      int64_t inner = static_cast<const LimitNode&>(*rows).count;
      return MakeLimit(rows->input(), std::min(count, inner));
    }
    case NodeKind::kProject: {
      PlanPtr limited = MUTIRAO_TRY(MakeLimit(rows->input(), count));
      PlanPtr pushed = MUTIRAO_TRY(PushLimit(limited, uses));
      return WithInputs(rows, {std::move(pushed)});
    }
    case NodeKind::kUnion:
      return LimitUnionInputs(node, rows, count);
    case NodeKind::kScan: {
      const auto& scan = static_cast<const ScanNode&>(*rows);
      if (scan.limit && *scan.limit <= count) return node;
      PlanPtr hinted =
          MUTIRAO_TRY(MakeScan(scan.source, scan.schema()->field_names(), scan.predicate, count, scan.preserve_order));
      return WithInputs(node, {std::move(hinted)});
    }
    default:
      return node;
  }
}

class PushLimits final : public Rule {
 public:
  std::string_view name() const override { return "push_limits"; }
  Result<std::vector<PlanPtr>> Apply(const std::vector<PlanPtr>& roots) const override {
    return RewriteInputsFirst(roots, PushLimit);
  }
};

}  // namespace

const Rule& PushLimitsRule() {
  static const auto* rule = new PushLimits();
  return *rule;
}

}  // namespace mutirao::frame
