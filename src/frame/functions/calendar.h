#pragma once

#include <cstdint>

#include "frame/functions/int128.h"

namespace mutirao::frame {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

struct CivilDate {
  int64_t year = 1970;
  int month = 1;
  int day = 1;
};

/// Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date
/// algorithms").
constexpr int64_t DaysFromCivil(int64_t year, int month, int day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

constexpr CivilDate CivilFromDays(int64_t days) {
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  CivilDate civil;
  civil.day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  civil.month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  civil.year = year_of_era + era * 400 + (civil.month <= 2);
  return civil;
}

constexpr bool IsLeapYear(int64_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

constexpr int DaysInMonth(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[month - 1];
}

constexpr bool IsCivilDate(int64_t year, int month, int day) {
  return month >= 1 && month <= 12 && day >= 1 && day <= DaysInMonth(year, month);
}

/// Division that rounds down, for times before 1970.
constexpr int64_t FloorDivide(int64_t value, int64_t divisor) {
  return value / divisor - (value % divisor < 0);
}

constexpr int64_t FloorModulo(int64_t value, int64_t divisor) {
  const int64_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

/// A time on the clock of some place. Every int64 of microseconds has one, with any offset from UTC added, but not
/// every local time has an int64.
struct LocalTime {
  int64_t days = 0;    ///< since 1970-01-01
  int64_t micros = 0;  ///< since midnight
};

/// Carry microseconds, negative ones too, over into days.
constexpr LocalTime MakeLocalTime(int64_t days, int64_t micros) {
  return {days + FloorDivide(micros, kMicrosPerDay), FloorModulo(micros, kMicrosPerDay)};
}

/// Compute count · unit + rest; false when the sum is beyond int64, whatever the product is.
constexpr bool MultiplyAndAdd(int64_t count, int64_t unit, int64_t rest, int64_t* out) {
  const Int128 sum = static_cast<Int128>(count) * unit + rest;
  *out = static_cast<int64_t>(sum);
  return *out == sum;
}

/// The days that text can show again: years -999999 to 999999.
constexpr bool IsDateInRange(int64_t days) {
  return days >= DaysFromCivil(-999'999, 1, 1) && days <= DaysFromCivil(999'999, 12, 31);
}

}  // namespace mutirao::frame
