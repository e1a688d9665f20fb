#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/diagnostic.h"
#include "orchestration/schedule/cron_rule.h"

namespace date {
class time_zone;
}

namespace mutirao::orchestration {

/// Tell the instants that a cron rule names in a time zone.
///
/// Where clocks are changed: a time that does not exist stands for the first instant after the gap, once however many
/// times fall into it. A time that comes twice counts the first time. A rule that names a minute of every hour follows
/// elapsed time instead: it skips what does not exist and goes through both hours.
/// The changes that are known are those that the system's tables list: up to 2037.
class Timetable {
 public:
  /// `zone` is an IANA name. Errors: kNotFound with a did-you-mean when the system knows no such zone.
  static Result<Timetable> Make(CronRule rule, const std::string& zone);

  /// Keep only ticks at or after `start` and before `end`.
  void Limit(std::optional<WallTime> start, std::optional<WallTime> end);

  /// Find the first tick later than `after`; none within 50 years when there is none.
  std::optional<WallTime> Next(WallTime after) const;

  /// "2026-03-08 03:00 -03:00", as the zone's clocks show it.
  std::string FormatLocal(WallTime time) const;

 private:
  Timetable(CronRule rule, const date::time_zone* zone) : rule_(std::move(rule)), zone_(zone) {}

  std::optional<WallTime> NextUnlimited(WallTime after) const;

  CronRule rule_;
  const date::time_zone* zone_;
  std::optional<WallTime> start_;
  std::optional<WallTime> end_;
};

/// Read a point in time: "2026-11-22T10:30:00Z", with an offset instead of Z, or without either and then in `zone`
/// ("2026-11-22T10:30", "2026-11-22 10:30:00", "2026-11-22"). A local time that does not exist means the first instant
/// after the gap; one that comes twice the first.
/// Errors: kInvalid when it is none, kNotFound for the zone.
Result<WallTime> ParseTime(const std::string& text, const std::string& zone);

}  // namespace mutirao::orchestration
