#pragma once

#include <vector>

#include "frame/expr/expr.h"

namespace mutirao::frame {

bool IsInteger(const arrow::DataType& type);
/// int8…int64, decimal or float64.
bool IsNumber(const arrow::DataType& type);
bool IsDecimal(const arrow::DataType& type);
bool IsNullType(const arrow::DataType& type);

/// Give the decimal that holds every value of an integer type (int64 → decimal(19,0)) or the decimal itself.
TypePtr DecimalFor(const arrow::DataType& type);
/// The same for an expression; an integer literal counts only the digits it has.
TypePtr DecimalFor(const Expr& expr);

/// Give the type that holds values of both, as implicit conversion goes: integers widen, numbers become decimal or
/// float64, date becomes timestamp, null anything. Null pointer when there is none.
TypePtr CommonType(const TypePtr& a, const TypePtr& b);

/// The same for typed expressions, where constants adapt: a text literal to what it is compared with, a number literal
/// to a type of integers that holds it. Null pointer when there is none.
TypePtr CommonType(const std::vector<ExprPtr>& exprs);

/// Convert a typed expression to a type: the expression itself, a literal of that type, or a cast.
/// Errors: kInvalid when a literal does not hold a value of the type.
Result<ExprPtr> ConvertTo(const ExprPtr& expr, const TypePtr& type);

}  // namespace mutirao::frame
