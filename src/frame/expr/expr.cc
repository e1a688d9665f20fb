#include "frame/expr/expr.h"

#include <algorithm>
#include <set>

#include <arrow/api.h>

#include <mutirao/status.h>

namespace mutirao::frame {

void Expr::TakeArgs(std::vector<ExprPtr> args) {
  args_ = std::move(args);
  depth_ = 1;
  for (const ExprPtr& arg : args_) depth_ = std::max(depth_, arg->depth_ + 1);
}

ExprPtr Expr::Literal(ScalarPtr value, TextSpan span) {
  auto expr = std::shared_ptr<Expr>(new Expr());
  expr->kind_ = ExprKind::kLiteral;
  expr->type_ = value->type;
  expr->literal_ = std::move(value);
  expr->span_ = span;
  return expr;
}

ExprPtr Expr::Column(std::string name, TextSpan span) {
  auto expr = std::shared_ptr<Expr>(new Expr());
  expr->kind_ = ExprKind::kColumn;
  expr->name_ = std::move(name);
  expr->span_ = span;
  return expr;
}

ExprPtr Expr::Parameter(std::string name, TextSpan span) {
  auto expr = std::shared_ptr<Expr>(new Expr());
  expr->kind_ = ExprKind::kParameter;
  expr->name_ = std::move(name);
  expr->span_ = span;
  return expr;
}

ExprPtr Expr::Call(std::string name, std::vector<ExprPtr> args, TextSpan span) {
  auto expr = std::shared_ptr<Expr>(new Expr());
  expr->kind_ = ExprKind::kCall;
  expr->name_ = std::move(name);
  expr->TakeArgs(std::move(args));
  expr->span_ = span;
  return expr;
}

ExprPtr Expr::Cast(ExprPtr arg, TypePtr to, bool try_cast, TextSpan span) {
  auto expr = std::shared_ptr<Expr>(new Expr());
  expr->kind_ = ExprKind::kCast;
  expr->TakeArgs({std::move(arg)});
  expr->type_ = std::move(to);
  expr->try_cast_ = try_cast;
  expr->span_ = span;
  return expr;
}

ExprPtr Expr::Case(std::vector<ExprPtr> args, TextSpan span) {
  MUTIRAO_CHECK(args.size() >= 2);
  auto expr = std::shared_ptr<Expr>(new Expr());
  expr->kind_ = ExprKind::kCase;
  expr->TakeArgs(std::move(args));
  expr->span_ = span;
  return expr;
}

ExprPtr Expr::WithArgs(const Expr& expr, std::vector<ExprPtr> args) {
  auto copy = std::shared_ptr<Expr>(new Expr(expr));
  copy->TakeArgs(std::move(args));
  return copy;
}

ExprPtr Expr::WithType(const Expr& expr, TypePtr type) {
  auto copy = std::shared_ptr<Expr>(new Expr(expr));
  copy->type_ = std::move(type);
  return copy;
}

ExprPtr Expr::WithFunction(const Expr& expr, const FunctionDef* function) {
  auto copy = std::shared_ptr<Expr>(new Expr(expr));
  copy->function_ = function;
  return copy;
}

bool Expr::Equals(const Expr& other) const {
  if (this == &other) return true;
  if (kind_ != other.kind_ || name_ != other.name_ || try_cast_ != other.try_cast_) return false;
  if (type_ && other.type_ && !type_->Equals(*other.type_)) return false;
  if (type_ && other.type_ && function_ != other.function_) return false;
  if ((literal_ != nullptr) != (other.literal_ != nullptr)) return false;
  if (literal_ && !literal_->Equals(*other.literal_, arrow::EqualOptions::Defaults().nans_equal(true))) return false;
  return std::equal(args_.begin(), args_.end(), other.args_.begin(), other.args_.end(),
                    [](const ExprPtr& a, const ExprPtr& b) { return a->Equals(*b); });
}

namespace {

void CollectColumns(const Expr& expr, std::set<std::string>* seen, std::vector<std::string>* names) {
  if (expr.kind() == ExprKind::kColumn && seen->insert(expr.name()).second) names->push_back(expr.name());
  for (const ExprPtr& arg : expr.args()) CollectColumns(*arg, seen, names);
}

void CollectConjuncts(const ExprPtr& expr, std::vector<ExprPtr>* conjuncts) {
  if (!expr->is_call("and")) {
    conjuncts->push_back(expr);
    return;
  }
  for (const ExprPtr& arg : expr->args()) CollectConjuncts(arg, conjuncts);
}

}  // namespace

std::vector<std::string> ColumnsOf(const Expr& expr) {
  std::set<std::string> seen;
  std::vector<std::string> names;
  CollectColumns(expr, &seen, &names);
  return names;
}

ExprPtr SubstituteColumns(const ExprPtr& expr, const std::vector<std::pair<std::string, ExprPtr>>& replacements) {
  if (expr->kind() == ExprKind::kColumn) {
    for (const auto& [name, replacement] : replacements) {
      if (name == expr->name()) return replacement;
    }
    return expr;
  }
  bool changed = false;
  std::vector<ExprPtr> args;
  args.reserve(expr->args().size());
  for (const ExprPtr& arg : expr->args()) {
    args.push_back(SubstituteColumns(arg, replacements));
    changed |= args.back() != arg;
  }
  return changed ? Expr::WithArgs(*expr, std::move(args)) : expr;
}

std::vector<ExprPtr> SplitConjunction(const ExprPtr& expr) {
  std::vector<ExprPtr> conjuncts;
  if (expr) CollectConjuncts(expr, &conjuncts);
  return conjuncts;
}

ExprPtr JoinConjunction(const std::vector<ExprPtr>& conjuncts) {
  ExprPtr joined;
  for (const ExprPtr& conjunct : conjuncts) {
    if (joined == nullptr) {
      joined = conjunct;
      continue;
    }
    joined = Expr::Call("and", {joined, conjunct});
    // A conjunction of bound conditions is bound itself.
    if (conjunct->type()) joined = Expr::WithType(*joined, conjunct->type());
  }
  return joined;
}

}  // namespace mutirao::frame
