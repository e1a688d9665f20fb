#pragma once

#include <chrono>
#include <string>

namespace mutirao {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

/// Tell the time. Code that acts on time takes one, so that a test can hand it another.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  /// For durations: never goes back.
  virtual std::chrono::steady_clock::time_point Steady() const = 0;

  /// The machine's clock. Lives for ever.
  static const Clock& System();
};

/// A clock that stands still until it is told otherwise.
class ManualClock : public Clock {
 public:
  explicit ManualClock(WallTime now) : now_(now) {}
  WallTime Now() const override { return now_; }
  std::chrono::steady_clock::time_point Steady() const override {
    return std::chrono::steady_clock::time_point(elapsed_);
  }
  void Advance(std::chrono::microseconds by) {
    now_ += by;
    elapsed_ += by;
  }
  /// Set the wall clock, as an administrator would; steady time is not touched.
  void SetWall(WallTime now) { now_ = now; }

 private:
  WallTime now_;
  std::chrono::microseconds elapsed_{0};
};

/// "2026-11-22T10:30:00.123456Z" (RFC 3339, UTC).
std::string FormatUtc(WallTime time);

/// "850 ms", "12.3 s", "4 min 05 s", "2 h 03 min".
std::string FormatDuration(std::chrono::duration<double> seconds);

}  // namespace mutirao
