#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "orchestration/leases/lease.h"
#include "orchestration/store/records.h"

namespace mutirao::orchestration {

/// What a run's worker, or whoever settles a dead run, writes in one transaction.
struct RunWrite {
  std::string run_id;
  /// Must be the run's present one, else nothing is written and the call gives kCancelled: the run was given to
  /// another.
  std::string claim;
  /// In order; the store numbers them and folds them into the run's and the ops' rows. A transition that its state does
  /// not allow is kInternal and writes nothing.
  std::vector<Event> events;
  /// Calls of hooks that these events ask for.
  std::vector<OutboxRow> outbox;
  /// Names this write, for a repetition after kUnavailable: a write whose key is that of the run's newest one was done
  /// and is not done again. Empty: it has none.
  std::string key;
};

/// Keep what must outlive a process: runs and their events, leases, ticks, the queue, hooks to deliver.
///
/// Each call is one transaction, durable when it returns OK. A call that gives kUnavailable may have had its effect or
/// not: repeating it is right, since each is known by keys of its own (run id, event numbers, lease name, tick).
/// Threads: any; calls wait for each other. Processes: many may use one database at a time.
/// Errors: kUnavailable when the database is busy, restarting or out of reach; kExhausted when its disk is full; kIo.
class Store {
 public:
  virtual ~Store() = default;

  /// "SQLite 3.40.1, .mutirao/mutirao.db" for people; never a password.
  virtual std::string Describe() const = 0;

  // Runs.

  /// Store a queued run and its event run.queued. Gives the run that is there already when the idempotency key or the
  /// tick is known; `is_new` says which.
  struct Added {
    RunRow run;
    bool is_new = true;
  };
  virtual Result<Added> AddRun(const NewRun& run) = 0;
  /// Errors: kNotFound.
  virtual Result<RunRow> GetRun(const std::string& run_id) = 0;
  virtual Result<std::vector<OpRow>> GetOps(const std::string& run_id) = 0;
  virtual Result<std::vector<RunRow>> ListRuns(const RunFilter& filter) = 0;

  /// Append events and fold them (run/fold.h). Gives the number of the last one.
  /// Errors: kCancelled when the claim is not the present one; kFailed when run.succeeded comes too late, since the run
  /// was asked to stop: write run.cancelled; kInternal for a transition that is not allowed.
  virtual Result<int64_t> Write(const RunWrite& write) = 0;
  /// Events after `after`, at most `limit`, in order.
  virtual Result<std::vector<Event>> ReadEvents(const std::string& run_id, int64_t after, int limit) = 0;
  /// Wait until the run has events after `after`, or `timeout` passed, or `stop`. Cost: no polling of the disk where
  /// the backend can tell (LISTEN/NOTIFY, file change), else a cheap look a few times a second.
  virtual Status WaitForEvents(const std::string& run_id, int64_t after, Duration timeout, std::stop_token stop) = 0;

  /// Ask a run to stop. A queued one is cancelled at once; for others the worker sees it. Repeatable. A run that has
  /// ended is left as it is.
  virtual Result<RunRow> AskCancel(const std::string& run_id, const std::string& by, bool force) = 0;

  // Who works on what.

  /// Take the next run that the limits let start, state kStarting, with a new claim; none when there is none. Any
  /// server may: the limits hold over all of them, and no run is given to two.
  virtual Result<std::optional<RunRow>> ClaimNextRun(const ProcessIdentity& server, const QueueLimits& limits,
                                                     WallTime now) = 0;
  /// Take this queued run whatever the limits: `mutirao run` without a server. Errors: kCancelled when it is not
  /// queued.
  virtual Result<RunRow> ClaimRun(const std::string& run_id, const ProcessIdentity& server) = 0;
  /// Why each queued run waits.
  virtual Result<std::vector<WaitReason>> ExplainQueue(const QueueLimits& limits, WallTime now) = 0;
  /// The worker of a claimed run introduces itself: state kRunning, and a pending row for each of its `ops`.
  /// Errors: kCancelled when the claim is not the present one or the run is not kStarting; when it is kCancelling, the
  /// owner of the claim writes run.cancelled.
  virtual Result<RunRow> BeginRun(const std::string& run_id, const std::string& claim, const ProcessIdentity& worker,
                                  const Json& config, const std::vector<std::string>& ops) = 0;
  /// Say that this process lives: for all runs that it works on and leases that it holds.
  virtual Status Heartbeat(const ProcessIdentity& process, WallTime now) = 0;
  /// Take a run away from a worker or server that was seen dead, to settle it or start it again: gives it a new claim.
  /// Errors: kCancelled when it has another claim than was seen, or a worker began it since.
  virtual Result<RunRow> TakeOver(const RunRow& seen, const ProcessIdentity& by) = 0;

  // Leases.

  /// Step 1. Errors: kAlreadyExists for a name that was ever used.
  virtual Status AddLease(const Lease& lease) = 0;
  /// Steps 3 to 5 and the reaper's notes: state, handle, reap_attempts, next_reap, error. Only the owner named in
  /// `lease` may, and a state never goes back. Errors: kCancelled when another owner has it now.
  virtual Status UpdateLease(const Lease& lease) = 0;
  /// Give a lease of a dead owner to a reaper. Gives none when somebody was quicker or it is closed.
  virtual Result<std::optional<Lease>> TakeLease(const std::string& name, const ProcessIdentity& old_owner,
                                                 const ProcessIdentity& new_owner, WallTime now) = 0;
  virtual Result<std::vector<Lease>> ListLeases(bool open_only, const std::string& run_id = "") = 0;

  // Schedules.

  virtual Result<std::vector<ScheduleRow>> ListSchedules() = 0;
  /// See a schedule of a job file: makes its row, or resets it to `now` when its definition changed.
  virtual Result<ScheduleRow> SeeSchedule(const std::string& job, const std::string& schedule,
                                          const std::string& definition_hash, WallTime now) = 0;
  virtual Status EnableSchedule(const std::string& job, const std::string& schedule, bool enabled, WallTime now) = 0;
  /// Decide a tick for ever: with a run to launch, or skipped for a reason; moves decided_up_to to its time. All in one
  /// transaction. Gives what was decided, by this call or an earlier one.
  /// Errors: kCancelled when `epoch` is not the present leadership's.
  virtual Result<TickRow> DecideTick(int64_t epoch, const TickRow& tick, const std::optional<NewRun>& run) = 0;
  virtual Result<std::vector<TickRow>> ListTicks(const std::string& job, const std::string& schedule, int limit) = 0;

  // Leadership.

  /// Become or stay leader for `ttl` from `now`; gives who leads, which is the caller or another whose time is not
  /// over.
  virtual Result<Leadership> Lead(const ProcessIdentity& candidate, WallTime now, Duration ttl) = 0;
  virtual Status StepDown(const ProcessIdentity& holder) = 0;

  // Hooks.

  /// Take messages that are due, for `lease` from `now`: until then nobody else gets them.
  virtual Result<std::vector<OutboxRow>> TakeOutbox(WallTime now, Duration lease, int limit) = 0;
  /// Store how delivering went: sent, next, attempts, given_up, error.
  virtual Status UpdateOutbox(const OutboxRow& row) = 0;
  virtual Result<std::vector<OutboxRow>> ListOutbox(const std::string& run_id, int limit) = 0;

  // Housekeeping.

  virtual Result<PruneResult> Prune(const Retention& retention, WallTime now, bool dry_run) = 0;

  /// Counts for metrics: runs by state, events, open leases, waiting messages.
  virtual Result<Json> Statistics() = 0;
};

/// Where a store is, as `store:` of mutirao.yaml, MUTIRAO_STORE or the default say: "sqlite:PATH" or a libpq URI or
/// "postgresql:" with key=value words. Relative paths start at the project's root.
struct StoreLocation {
  std::string uri;
  std::string project_root;
};

/// Open a store, make its folder and tables, or bring them up to this build's version.
/// Errors: kInvalid for a location, kUnsupported when it was written by a newer build, kUnavailable, kIo.
Result<std::unique_ptr<Store>> OpenStore(const StoreLocation& location, const Clock& clock = Clock::System());

}  // namespace mutirao::orchestration
