#pragma once

#include <memory>
#include <vector>

#include "formats/csv/predicate.h"

namespace mutirao::formats::csv {

/// Make the filter of a comparison (= <> < <= > >= between, in, is_null, a bool alone) of one typed column with
/// literals, which is decided on converted fields: integers, bool, dates, timestamps, decimals and float64, also where
/// the column is widened first. The column is added to `inputs`, in whose order Predicate::Fields has the values.
/// Null when the expression is not of that kind.
std::unique_ptr<const Predicate> CompileTyped(const frame::Expr& expr, const std::vector<ColumnSpec>& columns,
                                              std::vector<TypedInput>* inputs);

}  // namespace mutirao::formats::csv
