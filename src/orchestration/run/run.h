#pragma once

#include <functional>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "orchestration/definition/job.h"
#include "orchestration/run/state.h"

namespace mutirao::orchestration {

/// What became of one op.
struct OpRecord {
  std::string op;
  OpState state = OpState::kPending;
  int attempts = 0;
  double seconds = 0;
  /// Why it failed, or was cancelled.
  Status error;
  /// The op whose failure keeps this one from starting.
  std::string blocked_by;
  /// What the executor tells of the last attempt that has something to tell: the one that succeeded, or one that failed
  /// after some of its outputs became visible.
  Json outcome;
};

struct RunRecord {
  std::string run_id;
  RunState state = RunState::kSucceeded;
  WallTime started{};
  WallTime ended{};
  double seconds = 0;
  /// All ops of the job in the order they were gone through.
  std::vector<OpRecord> ops;
};

/// One try of an op.
struct OpAttempt {
  std::string run_id;
  int number = 1;
  /// When the run began: what depends on the time of a run counts from here in all its ops.
  WallTime run_started{};
  /// Asks the attempt to stop: the run was cancelled or the op's timeout is over.
  std::stop_token stop;
};

/// Runs the body of an op. Given by whoever knows what bodies mean.
class OpExecutor {
 public:
  virtual ~OpExecutor() = default;
  /// Blocks until the attempt ended. A failed attempt has left nothing behind, or tells in `outcome` what it left.
  virtual Status Execute(const OpDef& op, const OpAttempt& attempt, Json& outcome) = 0;
};

/// Told what happens, from the thread that runs.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void OpStarted(const OpDef&, int /*attempt*/) {}
  virtual void OpWillRetry(const OpDef&, const Status& /*error*/, int /*attempt*/, Duration /*delay*/) {}
  virtual void OpEnded(const OpDef&, const OpRecord&) {}
};

struct RunOptions {
  std::string run_id;
  const Clock* clock = &Clock::System();
  std::stop_token stop;
  RunObserver* observer = nullptr;
  uint64_t seed = std::random_device()();
};

/// Run the selected ops of a job in their order, one after the other, each with its retries and timeout.
///
/// A failed op blocks those after it; the others go on. After a stop request the running op is asked to stop, nothing
/// more starts, and the run is cancelled whatever the op made of it.
/// What cannot go better next time is not tried again: kInvalid, kUnsupported, kAlreadyExists, kInternal.
RunRecord RunJob(const JobDef& job, const std::set<std::string>& selected, OpExecutor& executor,
                 const RunOptions& options);

}  // namespace mutirao::orchestration
