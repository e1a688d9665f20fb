#include "orchestration/schedule/timetable.h"

#include <sstream>
#include <vector>

#include <date/tz.h>
#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr date::years kHorizon{50};

LocalMinute CeilMinute(date::local_seconds time) {
  return date::ceil<minutes>(time);
}

Result<const date::time_zone*> FindZone(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    std::vector<std::string> known;
    try {
      for (const date::time_zone& zone : date::get_tzdb().zones) known.push_back(zone.name());
    } catch (const std::exception& e) {
      return Status::NotFound(fmt::format("the time zones of this machine cannot be read: {}", e.what()))
          .Help("install the package tzdata");
    }
    std::string help = DidYouMean(name, known);
    if (help.empty()) help = "IANA names are like America/Sao_Paulo, Europe/Lisbon or UTC";
    return Status::NotFound(fmt::format("there is no time zone \"{}\"", name)).Help(std::move(help));
  }
}

date::sys_seconds FirstInstantOf(const date::time_zone& zone, date::local_seconds local) {
  const date::local_info info = zone.get_info(local);
  if (info.result == date::local_info::nonexistent) return info.first.end;
  return date::sys_seconds(local.time_since_epoch() - info.first.offset);
}

}  // namespace

Result<Timetable> Timetable::Make(CronRule rule, const std::string& zone) {
  const date::time_zone* found = MUTIRAO_TRY(FindZone(zone));
  return Timetable(std::move(rule), found);
}

void Timetable::Limit(std::optional<WallTime> start, std::optional<WallTime> end) {
  start_ = start;
  end_ = end;
}

std::optional<WallTime> Timetable::Next(WallTime after) const {
  if (start_ && *start_ > after) after = *start_ - std::chrono::microseconds(1);
  const std::optional<WallTime> tick = NextUnlimited(after);
  return tick && end_ && *tick >= *end_ ? std::nullopt : tick;
}

// Between two changes of the clocks local time runs straight, so the rule can be asked stretch by stretch.
std::optional<WallTime> Timetable::NextUnlimited(WallTime after) const {
  const date::sys_seconds start = date::floor<seconds>(after) + seconds(1);
  const date::sys_seconds horizon = start + kHorizon;
  seconds offset_before = zone_->get_info(zone_->get_info(start).begin - seconds(1)).offset;
  for (date::sys_seconds at = start; at < horizon;) {
    const date::sys_info info = zone_->get_info(at);
    const auto local = [&](date::sys_seconds time) {
      return date::local_seconds(time.time_since_epoch() + info.offset);
    };
    date::local_seconds from = local(at);
    const date::local_seconds shown_before(info.begin.time_since_epoch() + offset_before);
    if (!rule_.every_hour()) {
      // Clocks were put forward: what the gap swallowed is due now.
      if (at == info.begin && shown_before < local(info.begin) &&
          rule_.NextIn(CeilMinute(shown_before), CeilMinute(local(info.begin)))) {
        return WallTime(at);
      }
      from = std::max(from, shown_before);  // clocks were put back: this was there already
    }
    const date::sys_seconds end = std::min(info.end, horizon);
    if (const std::optional<LocalMinute> next = rule_.NextIn(CeilMinute(from), CeilMinute(local(end)))) {
      return WallTime(date::sys_seconds(next->time_since_epoch() - info.offset));
    }
    offset_before = info.offset;
    at = end;
  }
  return std::nullopt;
}

std::string Timetable::FormatLocal(WallTime time) const {
  const date::sys_seconds instant = date::floor<seconds>(time);
  const seconds offset = zone_->get_info(instant).offset;
  return date::format("%F %R ", instant + offset) + date::format("%Ez", date::make_zoned(zone_, instant));
}

Result<WallTime> ParseTime(const std::string& text, const std::string& zone) {
  for (const char* format : {"%FT%TZ", "%FT%RZ", "%FT%T%Ez", "%FT%R%Ez"}) {
    std::istringstream in(text);
    WallTime time;
    in >> date::parse(format, time);
    if (!in.fail() && in.peek() == std::istringstream::traits_type::eof()) return time;
  }
  const date::time_zone* found = MUTIRAO_TRY(FindZone(zone));
  for (const char* format : {"%FT%T", "%F %T", "%FT%R", "%F %R", "%F"}) {
    std::istringstream in(text);
    date::local_seconds time;
    in >> date::parse(format, time);
    if (!in.fail() && in.peek() == std::istringstream::traits_type::eof())
      return WallTime(FirstInstantOf(*found, time));
  }
  return Status::Invalid(fmt::format("\"{}\" is no point in time", text))
      .Help("write 2026-11-22, 2026-11-22T10:30 or 2026-11-22T10:30:00Z");
}

}  // namespace mutirao::orchestration
