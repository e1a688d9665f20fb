#include "frame/optimizer/expr_facts.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <arrow/scalar.h>
#include <arrow/type.h>

#include "frame/expr/function.h"

namespace mutirao::frame {
namespace {

// Give a value for every row, whatever the values of the arguments.
bool IsTotal(const Expr& call) {
  // clang-format off
  static const auto* total = new std::set<std::string, std::less<>>{
      "or", "and", "not", "=", "<>", "<", "<=", ">", ">=", "||", "like", "is_null", "in", "between",
      "if", "coalesce", "nullif", "greatest", "least", "hash",
      "trim", "ltrim", "rtrim", "upper", "lower", "unaccent", "length", "replace", "substr", "split_part", "concat",
      "digits_only", "starts_with", "ends_with", "contains", "split", "list_contains",
      "cnpj_valid", "cnpj_format", "cpf_valid",
      "try_parse_date", "try_parse_timestamp", "format_date", "date_trunc", "date_diff", "today",
      "year", "month", "day", "week", "day_of_week", "hour", "minute", "second"};
  // clang-format on
  if (total->contains(call.name())) return true;
  // Floating point goes to infinity or NaN; integers and decimals overflow. Division is left to be suspected.
  static const auto* total_on_floats =
      new std::set<std::string, std::less<>>{"+", "-", "*", "negate", "abs", "round", "floor", "ceil"};
  return total_on_floats->contains(call.name()) && call.type() != nullptr && call.type()->id() == arrow::Type::DOUBLE;
}

bool IsInteger(const arrow::DataType& type) {
  return arrow::is_signed_integer(type.id());
}

bool FitsDecimal(const arrow::DataType& from, const arrow::Decimal128Type& to) {
  int whole = 0;
  int scale = 0;
  if (IsInteger(from)) {
    // The most digits of 8, 16, 32 and 64 bits.
    whole = from.bit_width() == 8 ? 3 : from.bit_width() == 16 ? 5 : from.bit_width() == 32 ? 10 : 19;
  } else if (from.id() == arrow::Type::DECIMAL128) {
    const auto& decimal = static_cast<const arrow::Decimal128Type&>(from);
    scale = decimal.scale();
    whole = decimal.precision() - scale;
  } else {
    return false;
  }
  return to.scale() >= scale && to.precision() - to.scale() >= whole;
}

// Casts for which every value of `from` has one of `to`.
bool IsWidening(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to) || from.id() == arrow::Type::NA) return true;
  if (to.id() == arrow::Type::STRING) return from.id() != arrow::Type::BINARY;
  if (IsInteger(from) && IsInteger(to)) return from.bit_width() <= to.bit_width();
  if (to.id() == arrow::Type::DECIMAL128) return FitsDecimal(from, static_cast<const arrow::Decimal128Type&>(to));
  if (to.id() == arrow::Type::DOUBLE) return IsInteger(from) || from.id() == arrow::Type::DECIMAL128;
  return false;
}

double CallCost(const Expr& call) {
  // clang-format off
  static const auto* costs = new std::map<std::string, double, std::less<>>{
      {"like", 8}, {"contains", 6}, {"starts_with", 2}, {"ends_with", 2}, {"in", 3}, {"list_contains", 10},
      {"regexp_matches", 40}, {"regexp_replace", 60}, {"regexp_extract", 60},
      {"replace", 12}, {"concat", 8}, {"||", 8}, {"upper", 10}, {"lower", 10}, {"unaccent", 30},
      {"trim", 4}, {"ltrim", 4}, {"rtrim", 4}, {"substr", 5}, {"split_part", 10}, {"split", 30},
      {"lpad", 10}, {"rpad", 10}, {"length", 3}, {"digits_only", 10}, {"hash", 8},
      {"parse_date", 10}, {"try_parse_date", 10}, {"parse_timestamp", 15}, {"try_parse_timestamp", 15},
      {"format_date", 30}, {"date_trunc", 5}, {"date_diff", 5},
      {"cnpj_valid", 15}, {"cpf_valid", 15}, {"cnpj_format", 20}};
  // clang-format on
  auto found = costs->find(call.name());
  return found == costs->end() ? 1 : found->second;
}

bool IsText(const Expr& expr) {
  return expr.type() != nullptr && expr.type()->id() == arrow::Type::STRING;
}

}  // namespace

bool CanFail(const Expr& expr) {
  if (std::any_of(expr.args().begin(), expr.args().end(), [](const ExprPtr& arg) { return CanFail(*arg); }))
    return true;
  if (expr.kind() == ExprKind::kCall) return !IsTotal(expr);
  if (expr.kind() != ExprKind::kCast || expr.try_cast()) return false;
  const TypePtr& from = expr.args()[0]->type();
  return from == nullptr || expr.type() == nullptr || !IsWidening(*from, *expr.type());
}

bool IsDeterministic(const Expr& expr) {
  if (expr.kind() == ExprKind::kCall) {
    const FunctionDef* function = FindFunction(expr.name());
    if (function != nullptr && !function->deterministic) return false;
  }
  return std::all_of(expr.args().begin(), expr.args().end(), [](const ExprPtr& arg) { return IsDeterministic(*arg); });
}

double EvaluationCost(const Expr& expr) {
  double cost = 0;
  for (const ExprPtr& arg : expr.args()) cost += EvaluationCost(*arg);
  switch (expr.kind()) {
    case ExprKind::kCall:
      cost += CallCost(expr);
      // Comparing text costs more than comparing numbers.
      if (!expr.args().empty() && IsText(*expr.args()[0])) cost += 1;
      return cost;
    case ExprKind::kCast:
      return cost + (IsText(expr) || IsText(*expr.args()[0]) ? 10 : 1);
    case ExprKind::kCase:
      return cost + 2;
    default:
      return cost;
  }
}

double Selectivity(const Expr& predicate) {
  auto arg = [&](size_t i) { return Selectivity(*predicate.args()[i]); };
  if (IsLiteral(predicate, true)) return 1;
  if (IsLiteral(predicate, false) || IsNull(predicate)) return 0;
  if (predicate.is_call("and")) return arg(0) * arg(1);
  if (predicate.is_call("or")) return arg(0) + arg(1) - arg(0) * arg(1);
  if (predicate.is_call("not")) return 1 - arg(0);
  if (predicate.is_call("=") || predicate.is_call("is_null")) return 0.1;
  if (predicate.is_call("in")) return std::min(0.5, 0.1 * static_cast<double>(predicate.args().size()));
  if (predicate.is_call("<>")) return 0.9;
  if (predicate.is_call("between") || predicate.is_call("like")) return 0.25;
  return 1.0 / 3;
}

bool IsLiteral(const Expr& expr, bool value) {
  if (expr.kind() != ExprKind::kLiteral || expr.literal()->type->id() != arrow::Type::BOOL) return false;
  return expr.literal()->is_valid && static_cast<const arrow::BooleanScalar&>(*expr.literal()).value == value;
}

bool IsNull(const Expr& expr) {
  return expr.kind() == ExprKind::kLiteral && !expr.literal()->is_valid;
}

}  // namespace mutirao::frame
