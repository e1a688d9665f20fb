#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>

#include "base/child_process.h"

namespace mutirao {

/// How a process group is brought to its end: SIGINT at once, SIGTERM when it is still there after `interrupt`, SIGKILL
/// after `terminate` more.
struct StopDelays {
  std::chrono::milliseconds interrupt{5000};
  std::chrono::milliseconds terminate{5000};
  /// What the processes that it left behind get to write to its streams after it ended by itself.
  std::chrono::milliseconds linger{2000};
};

/// How a watched process ended.
struct WatchedExit {
  ExitState state;
  /// The last signal that it was sent by us; 0 when it ended by itself.
  int sent = 0;
};

/// Wait for a process to end, or bring its whole group to an end when `stop` asks for it; `*force` skips all delays.
/// What is left of the group when it has ended gets `linger` to let go of the streams, then SIGTERM, then SIGKILL: when
/// this returns, the group is gone. `tick` is called some 20 times a second meanwhile.
///
/// Errors: kIo, and what `tick` gives; the process is killed then, with its ChildProcess.
Result<WatchedExit> WaitOrStop(ChildProcess& child, const StopDelays& delays, const std::stop_token& stop,
                               const std::atomic<bool>& force, const std::function<Status()>& tick);

}  // namespace mutirao
