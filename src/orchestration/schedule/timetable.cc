#include "orchestration/schedule/timetable.h"

#include <optional>
#include <string_view>
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

// A point in time as people write it.
struct WrittenTime {
  date::local_seconds time;
  std::chrono::microseconds fraction{0};
  std::optional<seconds> offset;  ///< east of Greenwich; none when the zone is not said
};

// Not by date::parse: where the text ends too early it computes with seconds that were never set.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  std::optional<WrittenTime> Read() {
    WrittenTime written;
    if (!ReadDate(&written.time)) return std::nullopt;
    if (text_.empty()) return written;
    if (!Take('T') && !Take(' ')) return std::nullopt;
    if (!ReadTimeOfDay(&written)) return std::nullopt;
    if (!text_.empty() && !ReadOffset(&written.offset)) return std::nullopt;
    return text_.empty() ? std::optional(written) : std::nullopt;
  }

 private:
  bool Take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool Number(size_t digits, int* value) {
    if (text_.size() < digits) return false;
    *value = 0;
    for (const char c : text_.substr(0, digits)) {
      if (c < '0' || c > '9') return false;
      *value = *value * 10 + (c - '0');
    }
    text_.remove_prefix(digits);
    return true;
  }

  bool ReadDate(date::local_seconds* time) {
    int year = 0, month = 0, day = 0;
    if (!Number(4, &year) || !Take('-') || !Number(2, &month) || !Take('-') || !Number(2, &day)) return false;
    const auto date = date::year(year) / month / day;
    if (!date.ok()) return false;
    *time = date::local_days(date);
    return true;
  }

  bool ReadTimeOfDay(WrittenTime* written) {
    int hour = 0, minute = 0, second = 0;
    if (!Number(2, &hour) || !Take(':') || !Number(2, &minute)) return false;
    if (Take(':') && !Number(2, &second)) return false;
    if (hour > 23 || minute > 59 || second > 59) return false;
    written->time += std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second);
    if (!Take('.')) return true;
    int digit = 0;
    int64_t unit = 100'000;  // microseconds
    for (; unit > 0 && Number(1, &digit); unit /= 10) written->fraction += std::chrono::microseconds(digit * unit);
    return unit < 100'000;
  }

  bool ReadOffset(std::optional<seconds>* offset) {
    if (Take('Z')) return *offset = seconds(0), true;
    const int sign = text_.starts_with('-') ? -1 : 1;
    int hours = 0, minutes = 0;
    if (!Take('-') && !Take('+')) return false;
    if (!Number(2, &hours) || !Take(':') || !Number(2, &minutes) || hours > 18 || minutes > 59) return false;
    *offset = sign * (std::chrono::hours(hours) + std::chrono::minutes(minutes));
    return true;
  }

  std::string_view text_;
};

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
  const std::optional<WrittenTime> written = TimeReader(text).Read();
  if (written && written->offset) {
    return WallTime(written->time.time_since_epoch() + written->fraction - *written->offset);
  }
  const date::time_zone* found = MUTIRAO_TRY(FindZone(zone));
  if (written && written->fraction.count() == 0) return WallTime(FirstInstantOf(*found, written->time));
  return Status::Invalid(fmt::format("\"{}\" is no point in time", text))
      .Help("write 2026-11-22, 2026-11-22T10:30 or 2026-11-22T10:30:00Z");
}

}  // namespace mutirao::orchestration
