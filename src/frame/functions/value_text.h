#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include "frame/functions/int128.h"

namespace mutirao::frame {

// Text to value, as cast() reads it: blanks around are ignored, anything else that is not part of the value makes the
// function give false. Dates and timestamps are in time_text.h. Threads: pure functions.

/// true, false, t, f, yes, no, y, n, 1, 0; case does not matter.
bool ParseBool(std::string_view text, bool* value);
/// Digits with an optional sign; no fraction, no exponent.
bool ParseInt64(std::string_view text, int64_t* value);
/// As C writes it, also inf and nan; false for numbers beyond what float64 holds.
bool ParseFloat64(std::string_view text, double* value);
/// Digits with an optional sign and point; fraction digits beyond `scale` are rounded half away from zero.
bool ParseDecimal(std::string_view text, int precision, int scale, Int128* value);

// Value to text, appended; what the functions above read back.

void AppendInt64(int64_t value, std::string* out);
/// The shortest digits that read back as the same number, with a point or exponent always.
void AppendFloat64(double value, std::string* out);
void AppendDecimal(Int128 value, int scale, std::string* out);

/// Any scalar of a plan type as cast(x as string) writes it; "null" for null. For error messages and examples.
std::string ScalarText(const arrow::Scalar& scalar);

}  // namespace mutirao::frame
