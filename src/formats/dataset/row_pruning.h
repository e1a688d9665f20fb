#pragma once

#include <functional>
#include <string>

#include "formats/dataset/read_format.h"
#include "frame/expr/expr.h"

namespace mutirao::formats {

/// Say whether a bound predicate can be true for any row of a group, by the ranges of its columns alone. True whenever
/// that is not certain: what is said to be false may be skipped without reading.
bool MayHoldForSome(const frame::Expr& predicate, const std::function<ColumnRange(const std::string&)>& range_of);

}  // namespace mutirao::formats
