#pragma once

#include "base/json.h"
#include "columnar/type.h"

namespace mutirao {

/// Give one value of an array as JSON, for people and tools that look at rows: bool, integers, float64 and string as
/// themselves, a list as an array, binary as hexadecimal text, everything else as Arrow's text of it.
/// REQUIRES: plan type; the row exists.
Json ValueToJson(const arrow::Array& array, int64_t row);

}  // namespace mutirao
