#include "frame/optimizer/fix_today.h"

#include <arrow/scalar.h>

#include "frame/optimizer/rewrite.h"

namespace mutirao::frame {
namespace {

ExprPtr Fix(const ExprPtr& expr, const ExprPtr& date) {
  if (expr->is_call("today")) return date;
  std::vector<ExprPtr> args;
  bool changed = false;
  for (const ExprPtr& arg : expr->args()) {
    args.push_back(Fix(arg, date));
    changed = changed || args.back() != arg;
  }
  return changed ? Expr::WithArgs(*expr, std::move(args)) : expr;
}

}  // namespace

Result<std::vector<PlanPtr>> FixToday(const std::vector<PlanPtr>& roots, int32_t day) {
  ExprPtr date = Expr::Literal(std::make_shared<arrow::Date32Scalar>(day));
  return RewriteInputsFirst(roots, [&](const PlanPtr& node, const Uses&) {
    return WithExpressions(node, [&](const ExprPtr& expr, bool) { return Fix(expr, date); });
  });
}

}  // namespace mutirao::frame
