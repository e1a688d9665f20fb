#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "orchestration/resource/resource_kind.h"
#include "orchestration/run/event.h"
#include "orchestration/run/run.h"

namespace mutirao::orchestration {

/// What a run machine has to bring about.
struct RunPlan {
  struct Op {
    std::string name;
    std::vector<std::string> after;      ///< ops that must have ended well before
    std::vector<std::string> resources;  ///< what it requires itself; what those depend on is added
    RetryPolicy retry;
    /// It may use all threads and the memory budget of this process: at most one such op runs at a time.
    bool takes_engine = false;
  };
  struct Resource {
    std::string name;
    std::vector<std::string> needs;  ///< other resources that must be up before
    RetryPolicy retry;
    bool leased = true;  ///< it makes something outside this process
  };
  std::string run_id;
  /// In an order in which each stands behind those it is after.
  std::vector<Op> ops;
  std::vector<Resource> resources;
  std::set<std::string> selected;
  /// Ops that do not run since an earlier run did them, and that run.
  std::map<std::string, std::string> taken_over;
  int max_parallel_ops = 1;
};

/// What happened outside the machine.
namespace stimulus {
struct Begin {};
/// An attempt ended; `error` is OK when it succeeded.
struct OpEnded {
  std::string op;
  int attempt = 0;
  Status error;
  Json outcome;
};
struct OpTimedOut {
  std::string op;
  int attempt = 0;
  Status error;  ///< what to tell instead of that it was stopped
};
struct RetryDue {
  std::string op;
  int attempt = 0;  ///< the one that failed
};
struct ResourceReady {
  std::string resource;
  Json links;
};
/// Nothing of it is up, or `leaked`: something may be, and is left to the reaper.
struct ResourceFailed {
  std::string resource;
  Status error;
  bool leaked = false;
};
struct ResourceRetryDue {
  std::string resource;
};
/// Told after Release; `error` is OK when it is gone.
struct ResourceReleased {
  std::string resource;
  Status error;
};
struct CancelAsked {
  std::string reason;
  bool force = false;
};
/// The run was given to another process: nothing may be written any more.
struct ClaimLost {};
}  // namespace stimulus

using Stimulus = std::variant<stimulus::Begin, stimulus::OpEnded, stimulus::OpTimedOut, stimulus::RetryDue,
                              stimulus::ResourceReady, stimulus::ResourceFailed, stimulus::ResourceRetryDue,
                              stimulus::ResourceReleased, stimulus::CancelAsked, stimulus::ClaimLost>;

/// What is to be done outside the machine.
namespace action {
struct StartOp {
  std::string op;
  int attempt = 0;
};
struct StopOp {
  std::string op;
  bool force = false;
};
/// Give RetryDue after `delay`.
struct WaitForRetry {
  std::string op;
  int attempt = 0;
  Duration delay{};
};
struct Acquire {
  std::string resource;
  int attempt = 0;
};
struct StopAcquire {
  std::string resource;
};
/// Give ResourceRetryDue after `delay`.
struct WaitToAcquire {
  std::string resource;
  Duration delay{};
};
struct Release {
  std::string resource;
  Outcome outcome = Outcome::kSucceeded;
};
/// Everything has ended.
struct Finish {};
}  // namespace action

using Action = std::variant<action::StartOp, action::StopOp, action::WaitForRetry, action::Acquire, action::StopAcquire,
                            action::WaitToAcquire, action::Release, action::Finish>;

/// Decide what a run does next. No I/O, no clock, no threads: what happened goes in, what is to be recorded and done
/// comes out. docs/design/run.md tells the rules in words.
class RunMachine {
 public:
  struct Step {
    std::vector<Event> events;    ///< to be stored before anything is done
    std::vector<Action> actions;  ///< in order
  };

  /// REQUIRES: the plan's names refer to each other and its resources have no cycle.
  explicit RunMachine(RunPlan plan, uint64_t seed = std::random_device()());

  /// Take in what happened, `now` seconds after the run began. What comes too late (a time-out of an attempt that has
  /// ended, a retry of a run that is being cancelled) changes nothing.
  /// Errors: kInternal for what cannot have happened; nothing changes then.
  Result<Step> Handle(const Stimulus& stimulus, double now);

  const std::string& run_id() const { return plan_.run_id; }
  bool finished() const { return finished_; }
  /// Only true after ClaimLost.
  bool abandoned() const { return abandoned_; }
  /// How the run stands: running, cancelling, or how it ended.
  RunState state() const;
  bool leaked() const { return leaked_; }
  /// Why it failed or was cancelled.
  const Status& cause() const { return cause_; }
  /// All ops in the order of the plan.
  const std::vector<OpRecord>& records() const { return records_; }

 private:
  enum class Phase { kIdle, kAcquiring, kWaiting, kReady, kReleasing, kGone, kFailed };
  struct OpPart {
    RunPlan::Op plan;
    std::set<std::string> resources;  // with all that those need
    bool retry_due = false;
    std::optional<Status> timed_out;
    double first_start = -1;
    double start = 0;
  };
  struct ResourcePart {
    RunPlan::Resource plan;
    Phase phase = Phase::kIdle;
    int attempt = 0;
    bool stop_told = false;
    bool failed_users = false;
    double start = 0;
    int order = 0;  // of being acquired
    Status error;
  };

  Status Take(const stimulus::Begin&);
  Status Take(const stimulus::OpEnded&);
  Status Take(const stimulus::OpTimedOut&);
  Status Take(const stimulus::RetryDue&);
  Status Take(const stimulus::ResourceReady&);
  Status Take(const stimulus::ResourceFailed&);
  Status Take(const stimulus::ResourceRetryDue&);
  Status Take(const stimulus::ResourceReleased&);
  Status Take(const stimulus::CancelAsked&);
  Status Take(const stimulus::ClaimLost&);

  Result<size_t> FindOp(const std::string& name) const;
  static Status Impossible(std::string what);
  Result<ResourcePart*> FindResource(const std::string& name);
  void Tell(std::string_view type, const std::string& op, int attempt, Json data = Json::object());
  void TellResource(std::string_view type, const ResourcePart& resource, Json data = Json::object());

  void EndOp(size_t i, OpState state, std::string_view type, Json data);
  void FailOp(size_t i, const Status& error, const Json& outcome);
  void TryAgainOrFail(size_t i, const stimulus::OpEnded& ended);
  void BlockAfter(const std::string& failed);
  void CancelWaiting();

  void GoOn();
  void StartWhatCan();
  bool StartOrAcquire(size_t i);
  void Start(size_t i);
  void AcquireFor(const OpPart& op);
  bool IsReady(size_t i) const;
  bool HasSlot(const RunPlan::Op& op) const;
  bool IsNeeded(const ResourcePart& resource) const;
  bool CarriesAnother(const ResourcePart& resource) const;
  void ReleaseWhatCan();
  void FinishIfDone();

  RunPlan plan_;
  std::vector<OpPart> ops_;
  std::vector<OpRecord> records_;  // one an op, in the same order
  std::map<std::string, ResourcePart> resources_;
  std::mt19937_64 random_;
  Step step_;
  double now_ = 0;
  bool begun_ = false;
  bool cancelled_ = false;
  bool forced_ = false;
  bool abandoned_ = false;
  bool leaked_ = false;
  bool finished_ = false;
  int acquired_ = 0;
  Status cause_;
};

}  // namespace mutirao::orchestration
