#pragma once

#include <string_view>

#include <mutirao/status.h>

namespace mutirao::orchestration {

/// Where a run stands. It moves down this list only; the last three are final.
enum class RunState {
  kQueued,      ///< waits for a slot
  kStarting,    ///< a server took it and starts its worker
  kRunning,     ///< its worker has begun
  kCancelling,  ///< somebody asked it to stop and it has not ended yet
  kSucceeded,
  kFailed,
  kCancelled,
};

/// Where an op of a run stands. The last five are final.
enum class OpState {
  kPending,  ///< an op before it has not ended
  kRunning,
  kUpForRetry,  ///< failed, waits for its next attempt
  kSucceeded,
  kFailed,
  kBlocked,  ///< will not start: an op before it failed
  kSkipped,  ///< not selected, or its result was taken over from another run
  kCancelled,
};

bool IsFinal(RunState state);
bool IsFinal(OpState state);

/// "queued", "up_for_retry": as stored, printed and sent.
std::string_view RunStateName(RunState state);
std::string_view OpStateName(OpState state);

/// Errors: kInvalid.
Result<RunState> RunStateFromName(std::string_view name);
Result<OpState> OpStateFromName(std::string_view name);

}  // namespace mutirao::orchestration
