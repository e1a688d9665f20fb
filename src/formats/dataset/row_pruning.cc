#include "formats/dataset/row_pruning.h"

#include <optional>

#include <arrow/api.h>
#include <arrow/compute/api.h>

namespace mutirao::formats {
namespace {

using frame::Expr;
using frame::ExprKind;
using RangeOf = std::function<ColumnRange(const std::string&)>;

// Whether `left op right`; empty when the two cannot be compared.
std::optional<bool> Compare(const char* op, const ScalarPtr& left, const ScalarPtr& right) {
  if (!left || !right || !left->is_valid || !right->is_valid) return std::nullopt;
  ScalarPtr same = left;
  if (!left->type->Equals(*right->type)) {
    auto cast = left->CastTo(right->type);
    if (!cast.ok()) return std::nullopt;
    same = *cast;
  }
  auto result = arrow::compute::CallFunction(op, {arrow::Datum(same), arrow::Datum(right)});
  if (!result.ok() || !result->scalar()->is_valid) return std::nullopt;
  return static_cast<const arrow::BooleanScalar&>(*result->scalar()).value;
}

bool IsNot(std::optional<bool> known) {
  return known.has_value() && !*known;
}

bool AllNull(const ColumnRange& range) {
  return range.nulls && range.rows && *range.nulls == *range.rows;
}

// `column op literal`.
bool ComparisonMayHold(const std::string& op, const ColumnRange& range, const ScalarPtr& literal) {
  if (!literal || !literal->is_valid) return literal == nullptr;  // nothing compares to null
  if (AllNull(range)) return false;
  if (op == "=") {
    return !IsNot(Compare("less_equal", range.min, literal)) && !IsNot(Compare("greater_equal", range.max, literal));
  }
  if (op == "<") return !IsNot(Compare("less", range.min, literal));
  if (op == "<=") return !IsNot(Compare("less_equal", range.min, literal));
  if (op == ">") return !IsNot(Compare("greater", range.max, literal));
  if (op == ">=") return !IsNot(Compare("greater_equal", range.max, literal));
  return true;
}

std::string Mirrored(const std::string& op) {
  if (op == "<") return ">";
  if (op == "<=") return ">=";
  if (op == ">") return "<";
  if (op == ">=") return "<=";
  return op;
}

bool IsColumn(const Expr& expr) {
  return expr.kind() == ExprKind::kColumn;
}
bool IsLiteral(const Expr& expr) {
  return expr.kind() == ExprKind::kLiteral;
}

bool CallMayHold(const Expr& call, const RangeOf& range_of) {
  const auto& args = call.args();
  const std::string& name = call.name();
  bool compares = name == "=" || name == "<" || name == "<=" || name == ">" || name == ">=";
  if (compares && IsColumn(*args[0]) && IsLiteral(*args[1])) {
    return ComparisonMayHold(name, range_of(args[0]->name()), args[1]->literal());
  }
  if (compares && IsLiteral(*args[0]) && IsColumn(*args[1])) {
    return ComparisonMayHold(Mirrored(name), range_of(args[1]->name()), args[0]->literal());
  }
  if (name == "between" && IsColumn(*args[0]) && IsLiteral(*args[1]) && IsLiteral(*args[2])) {
    ColumnRange range = range_of(args[0]->name());
    return ComparisonMayHold(">=", range, args[1]->literal()) && ComparisonMayHold("<=", range, args[2]->literal());
  }
  if (name == "in" && IsColumn(*args[0])) {
    ColumnRange range = range_of(args[0]->name());
    for (size_t i = 1; i < args.size(); ++i) {
      bool is_value = IsLiteral(*args[i]) && args[i]->literal() && !arrow::is_list_like(args[i]->literal()->type->id());
      if (!is_value || ComparisonMayHold("=", range, args[i]->literal())) return true;
    }
    return false;
  }
  if (name == "is_null" && IsColumn(*args[0])) {
    ColumnRange range = range_of(args[0]->name());
    return !(range.nulls && *range.nulls == 0);
  }
  if (name == "not" && args[0]->is_call("is_null") && IsColumn(*args[0]->args()[0])) {
    return !AllNull(range_of(args[0]->args()[0]->name()));
  }
  return true;
}

}  // namespace

bool MayHoldForSome(const Expr& predicate, const RangeOf& range_of) {
  if (predicate.is_call("and")) {
    for (const auto& arg : predicate.args()) {
      if (!MayHoldForSome(*arg, range_of)) return false;
    }
    return true;
  }
  if (predicate.is_call("or")) {
    for (const auto& arg : predicate.args()) {
      if (MayHoldForSome(*arg, range_of)) return true;
    }
    return false;
  }
  return predicate.kind() == ExprKind::kCall ? CallMayHold(predicate, range_of) : true;
}

}  // namespace mutirao::formats
