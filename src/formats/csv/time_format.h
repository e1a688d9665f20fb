#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

namespace mutirao::formats::csv {

/// A date and time of day as numbers, checked to exist.
struct CivilTime {
  int year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int microsecond = 0;
  /// Minutes east of UTC; only when the text says so.
  bool has_offset = false;
  int offset_minutes = 0;

  /// Days since 1970-01-01 of the proleptic Gregorian calendar.
  int64_t Days() const;
  /// Microseconds since 1970-01-01T00:00, the offset taken off.
  int64_t Micros() const;
};

/// Read times by a strptime-like pattern: %Y %m %d %H %M %S %f (1–6 digits of a second) %y (69–99 are 19xx) %z %%;
/// %Y takes four digits, the others two; every other character stands for itself.
class TimeFormat {
 public:
  static Result<TimeFormat> Make(std::string_view pattern);
  bool Parse(std::string_view text, CivilTime* time) const;

 private:
  struct Item {
    char field;  // 0: the literal character
    char literal;
  };
  std::vector<Item> items_;
};

/// Read `YYYY-MM-DD`.
bool ParseIsoDate(std::string_view text, CivilTime* time);

/// Read `YYYYMMDD`, as the format %Y%m%d does.
bool ParseCompactDate(std::string_view text, CivilTime* time);

/// Read `YYYY-MM-DD[T| ]HH:MM[:SS[.ffffff]][Z|±HH:MM]`, or a date alone.
bool ParseIsoTimestamp(std::string_view text, CivilTime* time);

}  // namespace mutirao::formats::csv
