#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <mutirao/status.h>

namespace date {
class time_zone;
}

namespace mutirao::frame {

// Text to date or timestamp, as cast() reads it: blanks around are ignored, anything else that is not part of the value
// makes the function give false. Threads: pure functions.

/// YYYY-MM-DD; the year has four to six digits and may be negative.
bool ParseDate(std::string_view text, int32_t* days);
/// A date, then optionally blank or T and HH:MM[:SS[.ffffff]]. With a zone (may be null) an offset (Z, +HH, +HH:MM,
/// +HHMM) may follow, and a time without one is local in that zone; without a zone an offset is refused.
bool ParseTimestamp(std::string_view text, const date::time_zone* zone, int64_t* micros);

// Value to text, appended; what the functions above read back.

void AppendDate(int32_t days, std::string* out);
/// "2026-01-31 10:00:00[.5]"; with a zone its local time and offset: "2026-01-31 10:00:00-03".
void AppendTimestamp(int64_t micros, const date::time_zone* zone, std::string* out);

/// Find a time zone by its IANA name; gives null for the empty name. Errors: kInvalid.
Result<const date::time_zone*> FindZone(const std::string& name);

}  // namespace mutirao::frame
