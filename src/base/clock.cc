#include "base/clock.h"

#include <cmath>

#include <fmt/format.h>

namespace mutirao {
namespace {

class SystemClock : public Clock {
 public:
  WallTime Now() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
  std::chrono::steady_clock::time_point Steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& Clock::System() {
  static const SystemClock clock;
  return clock;
}

std::string FormatUtc(WallTime time) {
  using namespace std::chrono;  // NOLINT: the calendar types read badly with their full names
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::string FormatDuration(std::chrono::duration<double> seconds) {
  const double s = seconds.count();
  if (s < 0.9995) return fmt::format("{:.0f} ms", s * 1000);
  if (s < 59.95) return fmt::format("{:.1f} s", s);
  const int64_t whole = std::llround(s);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace mutirao
