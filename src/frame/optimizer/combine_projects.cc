#include <algorithm>
#include <map>

#include <arrow/type.h>

#include "frame/optimizer/expr_facts.h"
#include "frame/optimizer/rewrite.h"
#include "frame/optimizer/rules.h"
#include "frame/plan/schema_rules.h"

namespace mutirao::frame {
namespace {

void CountReads(const Expr& expr, std::map<std::string, int>& reads) {
  if (expr.kind() == ExprKind::kColumn) ++reads[expr.name()];
  for (const ExprPtr& arg : expr.args()) CountReads(*arg, reads);
}

bool ChangesNothing(const ProjectNode& project) {
  if (!SameColumns(*project.schema(), *project.input()->schema())) return false;
  return std::all_of(project.columns.begin(), project.columns.end(), [](const NamedExpr& column) {
    return column.expr->kind() == ExprKind::kColumn && column.expr->name() == column.name;
  });
}

// Each computed column of `lower` may be read once at most, or it would be computed again for every reader.
bool ComputesNothingTwice(const ProjectNode& upper, const ProjectNode& lower) {
  std::map<std::string, int> reads;
  for (const NamedExpr& column : upper.columns) CountReads(*column.expr, reads);
  return std::all_of(lower.columns.begin(), lower.columns.end(),
                     [&](const NamedExpr& column) { return reads[column.name] <= 1 || column.expr->args().empty(); });
}

Result<PlanPtr> Combine(const PlanPtr& node, const Uses& uses) {
  if (node->kind() != NodeKind::kProject) return node;
  const auto& upper = static_cast<const ProjectNode&>(*node);
  if (ChangesNothing(upper)) return node->input();
  if (node->input()->kind() != NodeKind::kProject || uses.shared(node->input())) return node;
  const auto& lower = static_cast<const ProjectNode&>(*node->input());
  if (!ComputesNothingTwice(upper, lower)) return node;

  std::vector<std::pair<std::string, ExprPtr>> replacements;
  for (const NamedExpr& column : lower.columns) replacements.emplace_back(column.name, column.expr);
  std::vector<NamedExpr> columns;
  for (const NamedExpr& column : upper.columns) {
    columns.push_back({column.name, SubstituteColumns(column.expr, replacements)});
  }
  return MakeProject(lower.input(), columns);
}

class CombineProjects final : public Rule {
 public:
  std::string_view name() const override { return "combine_projects"; }
  Result<std::vector<PlanPtr>> Apply(const std::vector<PlanPtr>& roots) const override {
    return RewriteInputsFirst(roots, Combine);
  }
};

}  // namespace

const Rule& CombineProjectsRule() {
  static const auto* rule = new CombineProjects();
  return *rule;
}

}  // namespace mutirao::frame
