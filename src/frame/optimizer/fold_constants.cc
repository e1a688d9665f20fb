#include <algorithm>

#include <arrow/scalar.h>
#include <arrow/type.h>

#include "frame/expr/evaluate.h"
#include "frame/expr/function.h"
#include "frame/optimizer/expr_facts.h"
#include "frame/optimizer/rewrite.h"
#include "frame/optimizer/rules.h"

namespace mutirao::frame {
namespace {

ExprPtr BoolLiteral(bool value) {
  return Expr::Literal(std::make_shared<arrow::BooleanScalar>(value));
}

bool IsBool(const Expr& expr) {
  return expr.type() != nullptr && expr.type()->id() == arrow::Type::BOOL;
}

// x and true is x; x and false is false even when x is null. null stays: it is not false outside a filter.
ExprPtr SimplifyAnd(const ExprPtr& expr) {
  const auto& args = expr->args();
  if (IsLiteral(*args[0], false) || IsLiteral(*args[1], false)) return BoolLiteral(false);
  if (IsLiteral(*args[0], true)) return args[1];
  if (IsLiteral(*args[1], true)) return args[0];
  return expr;
}

ExprPtr SimplifyOr(const ExprPtr& expr) {
  const auto& args = expr->args();
  if (IsLiteral(*args[0], true) || IsLiteral(*args[1], true)) return BoolLiteral(true);
  if (IsLiteral(*args[0], false)) return args[1];
  if (IsLiteral(*args[1], false)) return args[0];
  return expr;
}

// Branches whose condition is never true go; the first that is always true becomes the else.
ExprPtr SimplifyCase(const ExprPtr& expr) {
  const auto& args = expr->args();
  std::vector<ExprPtr> kept;
  ExprPtr otherwise = args.size() % 2 == 1 ? args.back() : nullptr;
  bool changed = false;
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    if (IsLiteral(*args[i], false) || IsNull(*args[i])) {
      changed = true;
      continue;
    }
    if (IsLiteral(*args[i], true)) {
      otherwise = args[i + 1];
      changed = true;
      break;
    }
    kept.push_back(args[i]);
    kept.push_back(args[i + 1]);
  }
  if (!changed) return expr;
  if (otherwise == nullptr) otherwise = Expr::Literal(arrow::MakeNullScalar(expr->type()));
  if (kept.empty()) return otherwise->type()->Equals(*expr->type()) ? otherwise : expr;
  kept.push_back(std::move(otherwise));
  return Expr::WithArgs(*expr, std::move(kept));
}

ExprPtr Simplify(const ExprPtr& expr) {
  if (expr->kind() == ExprKind::kCase) return SimplifyCase(expr);
  if (expr->kind() != ExprKind::kCall) return expr;
  const auto& args = expr->args();
  bool two = args.size() == 2 && IsBool(*args[0]) && IsBool(*args[1]);
  if (expr->name() == "and" && two) return SimplifyAnd(expr);
  if (expr->name() == "or" && two) return SimplifyOr(expr);
  if (expr->name() == "not" && args[0]->is_call("not")) return args[0]->args()[0];
  return expr;
}

bool HasAggregate(const Expr& expr) {
  if (expr.kind() == ExprKind::kCall) {
    const FunctionDef* function = FindFunction(expr.name());
    if (function != nullptr && function->kind == FunctionKind::kAggregate) return true;
  }
  return std::any_of(expr.args().begin(), expr.args().end(), [](const ExprPtr& arg) { return HasAggregate(*arg); });
}

ExprPtr Compute(const ExprPtr& expr) {
  if (expr->kind() == ExprKind::kLiteral || expr->kind() == ExprKind::kColumn) return expr;
  if (!ColumnsOf(*expr).empty() || !IsDeterministic(*expr) || HasAggregate(*expr)) return expr;
  auto value = EvaluateConstant(expr);
  if (!value.ok() || !(*value)->type->Equals(*expr->type())) return expr;
  return Expr::Literal(*value);
}

ExprPtr Fold(const ExprPtr& expr) {
  std::vector<ExprPtr> args;
  bool changed = false;
  for (const ExprPtr& arg : expr->args()) {
    args.push_back(Fold(arg));
    changed = changed || args.back() != arg;
  }
  ExprPtr folded = changed ? Expr::WithArgs(*expr, std::move(args)) : expr;
  return Compute(Simplify(folded));
}

// In a filter a condition that is null keeps no row, so as a conjunct it is false.
ExprPtr FoldPredicate(const ExprPtr& expr) {
  ExprPtr folded = Fold(expr);
  for (const ExprPtr& conjunct : SplitConjunction(folded)) {
    if (IsNull(*conjunct) || IsLiteral(*conjunct, false)) {
      return IsLiteral(*folded, false) ? folded : BoolLiteral(false);
    }
  }
  return folded;
}

class FoldConstants final : public Rule {
 public:
  std::string_view name() const override { return "fold_constants"; }
  Result<std::vector<PlanPtr>> Apply(const std::vector<PlanPtr>& roots) const override {
    return RewriteInputsFirst(roots, [](const PlanPtr& node, const Uses&) {
      return WithExpressions(
          node, [](const ExprPtr& expr, bool is_predicate) { return is_predicate ? FoldPredicate(expr) : Fold(expr); });
    });
  }
};

}  // namespace

const Rule& FoldConstantsRule() {
  static const auto* rule = new FoldConstants();
  return *rule;
}

}  // namespace mutirao::frame
