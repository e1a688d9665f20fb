#pragma once

#include <cstdint>

#include <date/tz.h>

#include "frame/functions/calendar.h"

namespace mutirao::frame {

/// Translate between instants and local time of a zone, remembering the last offset's span, since neighbours in a
/// column are often near in time. Without a zone both are the same.
///
/// Threads: one at a time.
class ZoneClock {
 public:
  explicit ZoneClock(const date::time_zone* zone) : zone_(zone) {}

  /// The local time of an instant, in microseconds since 1970 in UTC.
  LocalTime ToLocal(int64_t micros) {
    if (zone_ == nullptr) return MakeLocalTime(0, micros);
    const int64_t seconds = FloorDivide(micros, kMicrosPerSecond);
    if (seconds < begin_ || seconds >= end_) {
      auto info = zone_->get_info(date::sys_seconds(std::chrono::seconds(seconds)));
      begin_ = info.begin.time_since_epoch().count();
      end_ = info.end.time_since_epoch().count();
      offset_ = info.offset.count();
    }
    const LocalTime utc = MakeLocalTime(0, micros);
    return MakeLocalTime(utc.days, utc.micros + offset_ * kMicrosPerSecond);
  }

  /// The inverse: the earlier instant of an hour that comes twice, the end of the gap for one that never comes. False
  /// when the instant is beyond int64.
  bool ToSystem(const LocalTime& local, int64_t* micros) const {
    if (zone_ == nullptr) return MultiplyAndAdd(local.days, kMicrosPerDay, local.micros, micros);
    const int64_t seconds = local.days * (kMicrosPerDay / kMicrosPerSecond) + local.micros / kMicrosPerSecond;
    const auto info = zone_->get_info(date::local_seconds(std::chrono::seconds(seconds)));
    if (info.result == date::local_info::nonexistent)
      return MultiplyAndAdd(info.first.end.time_since_epoch().count(), kMicrosPerSecond, 0, micros);
    return MultiplyAndAdd(seconds - info.first.offset.count(), kMicrosPerSecond, local.micros % kMicrosPerSecond,
                          micros);
  }

 private:
  const date::time_zone* zone_;
  int64_t begin_ = 1;
  int64_t end_ = 0;
  int64_t offset_ = 0;
};

}  // namespace mutirao::frame
