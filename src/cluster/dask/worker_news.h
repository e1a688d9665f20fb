#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "base/json.h"

namespace mutirao::cluster {

/// What workers tell of themselves on its way to a run's events: of each the latest, and of all together not more than
/// a store and who reads it can take. With few workers nothing waits.
///
/// Threads: one at a time.
class WorkerNews {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr int kMostASecond = 10;

  /// Take the place of what of the same worker was not told yet.
  void Put(const std::string& worker, Json told);

  /// The next to be told, of the worker that waits longest; none when all is told, or not now.
  std::optional<Json> Next(Time now);

  /// The next, whatever the time: for the end.
  std::optional<Json> Last();

 private:
  std::deque<std::pair<std::string, Json>> waiting_;
  Time counted_{};  // when allowed_ was right
  double allowed_ = kMostASecond;
};

}  // namespace mutirao::cluster
