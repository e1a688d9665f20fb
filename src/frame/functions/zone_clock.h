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

  /// Microseconds of local time for those since 1970 in UTC.
  int64_t ToLocal(int64_t micros) {
    if (zone_ == nullptr) return micros;
    int64_t seconds = FloorDivide(micros, kMicrosPerSecond);
    if (seconds < begin_ || seconds >= end_) {
      auto info = zone_->get_info(date::sys_seconds(std::chrono::seconds(seconds)));
      begin_ = info.begin.time_since_epoch().count();
      end_ = info.end.time_since_epoch().count();
      offset_ = info.offset.count();
    }
    return micros + offset_ * kMicrosPerSecond;
  }

  /// The inverse: the earlier instant of an hour that comes twice, the end of the gap for one that never comes.
  int64_t ToSystem(int64_t local) const {
    if (zone_ == nullptr) return local;
    return zone_
        ->to_sys(date::local_time<std::chrono::microseconds>(std::chrono::microseconds(local)), date::choose::earliest)
        .time_since_epoch()
        .count();
  }

 private:
  const date::time_zone* zone_;
  int64_t begin_ = 1;
  int64_t end_ = 0;
  int64_t offset_ = 0;
};

}  // namespace mutirao::frame
