#include <arrow/api.h>

#include "frame/expr/coercion.h"
#include "frame/functions/families.h"
#include "frame/functions/int128.h"

namespace mutirao::frame {
namespace {

// Aggregates are computed by the engine; here stand their names, types and help.

Result<TypePtr> OneOfAnyType(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 1, 1));
  if (IsNullType(*types[0])) types[0] = arrow::utf8();
  return types[0];
}

Result<TypePtr> OneOrdered(std::vector<TypePtr>& types) {
  auto type = MUTIRAO_TRY(OneOfAnyType(types));
  if (type->id() == arrow::Type::LIST) return WrongArgument(0, "values that have an order", *type);
  return type;
}

Result<TypePtr> CountAll(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 0, 1));
  if (types.size() == 1) MUTIRAO_TRY(OneOfAnyType(types));
  return arrow::int64();
}

Result<TypePtr> CountDistinct(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(OneOrdered(types));
  return arrow::int64();
}

Status OneNumber(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 1, 1));
  if (IsNullType(*types[0])) types[0] = arrow::int64();
  return IsNumber(*types[0]) ? Status::Ok() : WrongArgument(0, "a number", *types[0]);
}

Result<TypePtr> Sum(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(OneNumber(types));
  if (IsInteger(*types[0])) return arrow::int64();
  if (IsDecimal(*types[0]))
    return arrow::decimal128(kMaxDecimalDigits, static_cast<const arrow::Decimal128Type&>(*types[0]).scale());
  return arrow::float64();
}

Result<TypePtr> ToFloat(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(OneNumber(types));
  return arrow::float64();
}

Result<TypePtr> ListOf(std::vector<TypePtr>& types) {
  auto item = MUTIRAO_TRY(OneOfAnyType(types));
  return arrow::list(item);
}

FunctionDef Aggregate(std::string name, std::string signature, std::string summary, Resolve resolve) {
  return {.name = std::move(name),
          .kind = FunctionKind::kAggregate,
          .signatures = {std::move(signature)},
          .summary = std::move(summary),
          .resolve = std::move(resolve)};
}

}  // namespace

void AddAggregates(std::vector<FunctionDef>* functions) {
  functions->push_back(Aggregate("count", "count() → int64; count(value t) → int64",
                                 "Count the rows, or the values that are not null.", CountAll));
  functions->push_back(Aggregate("count_distinct", "count_distinct(value t) → int64",
                                 "Count the different values that are not null.", CountDistinct));
  functions->push_back(
      Aggregate("approx_count_distinct", "approx_count_distinct(value t) → int64",
                "Estimate the number of different values that are not null, within a few percent and in little memory.",
                CountDistinct));
  functions->push_back(
      Aggregate("sum", "sum(value int) → int64; sum(value decimal(p,s)) → decimal(38,s); sum(value float64) → float64",
                "Add the values that are not null; null when there is none. A sum beyond its type is an error.", Sum));
  functions->push_back(
      Aggregate("avg", "avg(value number) → float64", "Give the mean of the values that are not null.", ToFloat));
  functions->push_back(Aggregate("min", "min(value t) → t", "Give the least value that is not null.", OneOrdered));
  functions->push_back(Aggregate("max", "max(value t) → t", "Give the greatest value that is not null.", OneOrdered));
  functions->push_back(
      Aggregate("any_value", "any_value(value t) → t", "Give one of the values that are not null.", OneOfAnyType));
  functions->push_back(
      Aggregate("first", "first(value t) → t", "Give the value of the first row, which may be null.", OneOfAnyType));
  functions->push_back(
      Aggregate("last", "last(value t) → t", "Give the value of the last row, which may be null.", OneOfAnyType));
  functions->push_back(Aggregate("stddev", "stddev(value number) → float64",
                                 "Give the sample standard deviation; null for fewer than two values.", ToFloat));
  functions->push_back(Aggregate("median", "median(value number) → float64",
                                 "Give the middle value, or the mean of the two in the middle.", ToFloat));
  functions->push_back(Aggregate("list", "list(value t) → list<t>",
                                 "Collect the values of the group, nulls included, into a list.", ListOf));
}

}  // namespace mutirao::frame
