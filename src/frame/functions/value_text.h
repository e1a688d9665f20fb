#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <arrow/type_fwd.h>

#include <mutirao/status.h>

#include "frame/functions/int128.h"

namespace date {
class time_zone;
}

namespace mutirao::frame {

// Text to value, as cast() reads it: blanks around are ignored, anything else that is not part of the value makes the
// function give false. Threads: pure functions.

/// true, false, t, f, yes, no, y, n, 1, 0; case does not matter.
bool ParseBool(std::string_view text, bool* value);
/// Digits with an optional sign; no fraction, no exponent.
bool ParseInt64(std::string_view text, int64_t* value);
/// As C writes it, also inf and nan; false for numbers beyond what float64 holds.
bool ParseFloat64(std::string_view text, double* value);
/// Digits with an optional sign and point; fraction digits beyond `scale` are rounded half away from zero.
bool ParseDecimal(std::string_view text, int precision, int scale, Int128* value);
/// YYYY-MM-DD; the year has four to six digits and may be negative.
bool ParseDate(std::string_view text, int32_t* days);
/// A date, then optionally blank or T and HH:MM[:SS[.ffffff]]. With a zone (may be null) an offset (Z, +HH, +HH:MM,
/// +HHMM) may follow, and a time without one is local in that zone; without a zone an offset is refused.
bool ParseTimestamp(std::string_view text, const date::time_zone* zone, int64_t* micros);

// Value to text, appended; what the functions above read back.

void AppendInt64(int64_t value, std::string* out);
/// The shortest digits that read back as the same number, with a point or exponent always.
void AppendFloat64(double value, std::string* out);
void AppendDecimal(Int128 value, int scale, std::string* out);
void AppendDate(int32_t days, std::string* out);
/// "2026-01-31 10:00:00[.5]"; with a zone its local time and offset: "2026-01-31 10:00:00-03".
void AppendTimestamp(int64_t micros, const date::time_zone* zone, std::string* out);

/// Find a time zone by its IANA name; gives null for the empty name. Errors: kInvalid.
Result<const date::time_zone*> FindZone(const std::string& name);

/// Any scalar of a plan type as cast(x as string) writes it; "null" for null. For error messages and examples.
std::string ScalarText(const arrow::Scalar& scalar);

}  // namespace mutirao::frame
