#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/json.h"

namespace mutirao::orchestration {

/// What a server counts since it started.
///
/// Threads: any.
struct ServerCounters {
  std::atomic<int64_t> workers_started{0};
  std::atomic<int64_t> workers_died{0};  ///< without having ended their run
  std::atomic<int64_t> ticks_launched{0};
  std::atomic<int64_t> ticks_skipped{0};
  std::atomic<int64_t> hooks_sent{0};
  std::atomic<int64_t> hooks_failed{0};
  std::atomic<int64_t> hooks_given_up{0};
  std::atomic<int64_t> store_errors{0};
  std::atomic<int64_t> leases_reaped{0};
  std::atomic<bool> leads{false};
  std::atomic<int> workers{0};
  /// Seconds since 1970 when the schedules were last looked at.
  std::atomic<double> scheduler_looked{0};
  double started = 0;  ///< the same, of the server
};

/// The text that Prometheus reads. `statistics` is what Store::Statistics gives: a number becomes a gauge
/// mutirao_store_NAME, a mapping of numbers one with the label "state".
std::string MetricsText(const ServerCounters& counters, const Json& statistics);

}  // namespace mutirao::orchestration
