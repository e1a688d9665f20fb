#pragma once

#include <chrono>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <mutirao/status.h>

namespace mutirao::cluster {

/// One try of one task of a plan.
struct AttemptId {
  int stage = 0;
  int task = 0;
  int attempt = 0;

  auto operator<=>(const AttemptId&) const = default;
  std::string ToString() const;  ///< "2/17/0"
};

/// What a plan asks of its cluster, as far as the order of things goes.
struct StageShape {
  int tasks = 0;
  std::vector<int> after;  ///< numbers of earlier stages
};

struct PlanLimits {
  /// Workers that a task may take with it before the plan fails.
  int losses = 3;
  /// Failures that may go better elsewhere (disk full, a file not to be seen) before the plan fails.
  int failures = 3;
  /// At most this many attempts wait or run in the cluster, whatever its size.
  int most_in_flight = 4000;
  /// An attempt is copied when it runs longer than this and `straggler_factor` times the median of its stage.
  std::chrono::duration<double> straggler_least{10};
  double straggler_factor = 3;
  /// Fail when there was no worker at all for so long.
  std::chrono::duration<double> without_workers{120};
};

/// Where a plan that runs on a cluster stands: stages, tasks, attempts. Decides what is submitted, copied, tried again
/// and given up, and does no I/O: what happens is told to it, what is to be done it gives back.
///
/// A task's result is accepted once; later ones are ignored. After Cancel() or a failure all attempts are asked to end,
/// and the plan is over when none is left.
/// Threads: one at a time.
class PlanProgress {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Submit {
    AttemptId attempt;
    std::vector<std::string> avoid;  ///< workers that it should not run on
  };
  struct CancelAttempts {
    std::vector<AttemptId> attempts;
  };
  /// All inputs of a stage are there; said before the first Submit of it.
  struct Prepare {
    int stage = 0;
  };
  /// The plan is over, well or not. Nothing follows.
  struct Finish {
    Status status;
  };
  using Action = std::variant<Submit, CancelAttempts, Prepare, Finish>;
  using Actions = std::vector<Action>;

  PlanProgress(std::vector<StageShape> stages, PlanLimits limits);

  Actions Start(Time now);
  /// Task slots of all workers together.
  Actions SlotsChanged(int slots, Time now);
  /// A worker began an attempt.
  void Running(const AttemptId& attempt, const std::string& worker, Time now);
  /// An attempt gave a result. `accepted` says whether it is the one that counts.
  Actions Done(const AttemptId& attempt, Time now, bool& accepted);
  Actions Failed(const AttemptId& attempt, const Status& error, Time now);
  /// The worker that had an attempt, running or waiting, died.
  Actions Lost(const AttemptId& attempt, const std::string& worker, Time now);
  /// An attempt ended because it was asked to.
  Actions Cancelled(const AttemptId& attempt, Time now);
  /// Give up; `why` is what Finish will say.
  Actions Cancel(Status why, Time now);
  /// Time went by: stragglers, no workers. Once a second is enough.
  Actions Tick(Time now);

  int in_flight() const { return in_flight_; }
  int tasks_done() const { return done_; }
  int tasks_total() const { return total_; }
  /// What happened beyond the plain course, for reports.
  int attempts_lost() const { return lost_; }
  int attempts_copied() const { return copied_; }
  bool is_over() const { return over_; }
  /// Cancelled or failed, and what for.
  bool is_giving_up() const { return giving_up_; }
  const Status& why() const { return why_; }

 private:
  struct Attempt {
    int number = 0;
    std::string worker;  // empty while it waits
    Time began{};
  };
  struct Task {
    std::vector<Attempt> live;
    int next_attempt = 0;
    int losses = 0;
    int failures = 0;
    bool done = false;
    std::vector<std::string> avoid;
  };
  struct Stage {
    StageShape shape;
    std::vector<Task> tasks;
    std::vector<int> waiting;     // tasks to submit, the next one last
    std::vector<double> seconds;  // of accepted attempts
    int done = 0;
    bool ready = false;
  };

  Task* Find(const AttemptId& id, std::vector<Attempt>::iterator* attempt);
  bool End(const AttemptId& id, Attempt* ended);
  void MakeReady(Actions& actions);
  void SubmitMore(Actions& actions);
  void SubmitOne(int stage, int task, Actions& actions);
  void CopyStragglers(Time now, Actions& actions);
  void GiveUp(Status why, Actions& actions);
  void EndWhenQuiet(Actions& actions);
  void TryAgain(const AttemptId& id, Actions& actions);
  int Room() const;

  std::vector<Stage> stages_;
  const PlanLimits limits_;
  int slots_ = 0;
  int in_flight_ = 0;
  int done_ = 0;
  int total_ = 0;
  int lost_ = 0;
  int copied_ = 0;
  bool started_ = false;
  bool over_ = false;
  bool giving_up_ = false;
  Status why_;
  Time slots_since_{};                        // when the last worker went
  std::map<std::string, bool> died_running_;  // dead workers: was anything known to run there?
};

}  // namespace mutirao::cluster
