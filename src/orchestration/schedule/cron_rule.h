#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <date/date.h>

#include "base/diagnostic.h"

namespace mutirao::orchestration {

/// A minute of the clock on the wall, wherever that hangs.
using LocalMinute = date::local_time<std::chrono::minutes>;

/// Name minutes of the calendar: a cron rule of five fields, or @hourly, @daily, @midnight, @weekly, @monthly, @yearly,
/// @annually.
///
/// Fields: minute 0–59, hour 0–23, day of month 1–31 or L (the last), month 1–12 or JAN–DEC, day of week 0–7 or
/// SUN–SAT (0 and 7 are Sunday), or nL (the last such day of the month), n#k (its k-th). Each is *, a value, a range
/// a-b, a step */n, a-b/n or a/n (from a to the end), or a list of these. When day of month and day of week are both
/// restricted (neither begins with *) either may match, as in Vixie cron.
class CronRule {
 public:
  /// Faults go to `faults` with spans in the text and no pointer; the rule is then none.
  static std::optional<CronRule> Parse(std::string_view text, Diagnostics& faults);

  bool Matches(LocalMinute time) const;

  /// Find the first matching minute in [from, until); none when there is none.
  std::optional<LocalMinute> NextIn(LocalMinute from, LocalMinute until) const;

  /// True when the rule names at least one minute of every hour of the day.
  bool every_hour() const { return hours_.all(); }

 private:
  class Reader;

  CronRule() = default;
  bool MatchesDay(date::local_days day) const;
  bool MatchesWeekday(const date::year_month_day& day, date::weekday weekday) const;
  std::optional<std::chrono::minutes> NextInDay(std::chrono::minutes from) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  // For a weekday its places in the month: bit k for the k-th (n#k), bit 0 for the last (nL).
  std::array<uint8_t, 7> weekday_places_{};
  bool last_day_ = false;
  bool any_day_ = false;      // day of month begins with *
  bool any_weekday_ = false;  // day of week begins with *
};

}  // namespace mutirao::orchestration
