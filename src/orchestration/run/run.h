#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "orchestration/definition/job.h"
#include "orchestration/run/event.h"
#include "orchestration/run/state.h"

namespace mutirao::orchestration {

class Resource;

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
  /// All ops of the job, each behind those it is after.
  std::vector<OpRecord> ops;
  /// Something that the run made outside may still exist.
  bool leaked = false;
  /// Why it failed or was cancelled.
  Status cause;
  /// What kept the end of the run from being stored; the run is settled by the next process that opens the store.
  Status store_error;
};

/// The outcomes of ops by name.
using OpOutcomes = std::map<std::string, Json>;

/// One try of an op.
struct OpAttempt {
  std::string run_id;
  int number = 1;
  /// When the run began: what depends on the time of a run counts from here in all its ops.
  WallTime run_started{};
  /// Asks the attempt to stop: the run was cancelled or the op's timeout is over.
  std::stop_token stop;
  /// The run's folder for logs, 0700; empty: there is none.
  std::string folder;
  /// What the op requires, up.
  std::map<std::string, const Resource*> resources;
  /// Of the ops that this one is after, in this run or taken over from an earlier one; may be null.
  std::shared_ptr<const OpOutcomes> outcomes;
  /// Add an event of this attempt to the run's log: event::kOpProgress and the like, no change of its state.
  /// May be empty. Threads: any. Cost: none; events are stored a few times a second.
  std::function<void(std::string_view type, Json data)> emit;
};

/// Runs the body of an op. Given by whoever knows what bodies mean.
class OpExecutor {
 public:
  virtual ~OpExecutor() = default;
  /// Blocks until the attempt ended. A failed attempt has left nothing behind, or tells in `outcome` what it left.
  /// Threads: several attempts, of different ops, at a time.
  virtual Status Execute(const OpDef& op, const OpAttempt& attempt, Json& outcome) = 0;
  /// Give what was asked to stop no more time. Threads: any.
  virtual void ForceStop() {}
};

/// Told what happens, from the thread that drives the run.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void OpStarted(const OpDef&, int /*attempt*/) {}
  virtual void OpWillRetry(const OpDef&, const Status& /*error*/, int /*attempt*/, Duration /*delay*/) {}
  virtual void OpEnded(const OpDef&, const OpRecord&) {}
  /// Every event of the run's log once it is stored, those above among them.
  virtual void Recorded(const Event&) {}
};

}  // namespace mutirao::orchestration
