#pragma once

#include "frame/expr/expr.h"

namespace mutirao::frame {

/// Say whether evaluating a bound expression can raise an error for some row: a cast that does not convert, a number
/// that overflows, a date that is none. Functions that are not known to be total count as failing.
bool CanFail(const Expr& expr);

/// Say whether the value depends on nothing but the columns: false for today().
bool IsDeterministic(const Expr& expr);

/// Guess the work a value takes; 1 is a comparison of numbers.
double EvaluationCost(const Expr& expr);

/// Guess the share of rows for which a predicate is true.
double Selectivity(const Expr& predicate);

bool IsLiteral(const Expr& expr, bool value);
/// A literal null.
bool IsNull(const Expr& expr);

}  // namespace mutirao::frame
