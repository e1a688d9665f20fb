#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "orchestration/resource/run_resources.h"
#include "orchestration/run/run_journal.h"
#include "orchestration/run/run_machine.h"

namespace mutirao::orchestration {

/// Do what a run machine says: a thread for each attempt of an op and each resource that is being made or ended, one
/// write to the store for each transition, timers for retries and time-outs.
///
/// Threads: Run from one; Cancel and LoseClaim from any, also before Run.
class RunDriver {
 public:
  struct Options {
    const Clock* clock = &Clock::System();
    std::string folder;  ///< of the run; empty: none
    RunObserver* observer = nullptr;
    /// Outcomes of the ops that are taken over.
    OpOutcomes taken_outcomes;
    /// Called when a forced stop had no effect for this long: the process should end at once. May be empty.
    std::function<void()> on_stuck;
    Duration stuck_after = std::chrono::seconds(2);
    /// Called, too, when an op goes on for this long after its time was over: nothing else can end code of a module
    /// that does not look at its stop token.
    Duration deaf_after = std::chrono::seconds(60);
    uint64_t seed = std::random_device()();
  };

  /// All must outlive this. `resources` and `journal` may be null when the plan has no resources, when nothing is
  /// stored.
  RunDriver(const JobDef& job, RunPlan plan, OpExecutor& executor, RunResources* resources, RunJournal* journal,
            Options options);
  ~RunDriver();
  RunDriver(const RunDriver&) = delete;
  RunDriver& operator=(const RunDriver&) = delete;

  /// Run to the end. Once only.
  RunRecord Run();

  /// Ask the run to stop; `force`: without grace.
  void Cancel(std::string reason, bool force);
  /// The run belongs to another process now.
  void LoseClaim();

  /// A resource that was given up hangs in a thread that cannot be joined: leave the process by _exit.
  bool has_stuck_threads() const { return stuck_ > 0; }

 private:
  using Time = std::chrono::steady_clock::time_point;
  // Making or ending a resource.
  struct ResourceTask {
    std::stop_source stop;
    std::thread thread;
    bool done = false;
    bool given_up = false;
  };
  struct Timer {
    Time due;
    Stimulus stimulus;
    std::shared_ptr<ResourceTask> gives_up;  // told only when this one is still at work, which then is given up
    bool operator>(const Timer& other) const { return due > other.due; }
  };
  struct Attempt {
    std::stop_source stop;
    std::thread thread;
    std::string op;
    int number = 0;
    std::optional<Time> told_to_stop;  // since its time is over
    std::atomic<bool> ended = false;
  };

  void Post(Stimulus stimulus);
  void PostAfter(Duration delay, Stimulus stimulus);
  std::optional<Stimulus> Next();
  void TakeDueTimer();
  void LookForDeafOps();
  void Take(const Stimulus& stimulus);
  void AddTakenOutcome(Event& event) const;
  Status Store(std::vector<Event>& events);
  void CancelInsteadOfSuccess(std::vector<Event>& events);
  void TellObserver(const std::vector<Event>& events);

  void Do(const action::StartOp& start);
  void Do(const action::StopOp& stop);
  void Do(const action::WaitForRetry& wait);
  void Do(const action::Acquire& acquire);
  void Do(const action::StopAcquire& stop);
  void Do(const action::WaitToAcquire& wait);
  void Do(const action::Release& release);
  void Do(const action::Finish&) {}
  void LeaveUndone(const Action& action);

  OpAttempt AttemptOf(const OpDef& op, int number, std::stop_token stop);
  void Emit(const std::string& op, int attempt, std::string_view type, Json data);
  void StartResourceTask(const std::string& name, const std::string& what, Duration time,
                         std::function<Stimulus(std::stop_token)> work, Stimulus late);
  void Join();
  RunRecord Sum() const;

  const JobDef& job_;
  RunMachine machine_;
  OpExecutor& executor_;
  RunResources* resources_;
  RunJournal* journal_;
  const Options options_;
  const Time begun_ = std::chrono::steady_clock::now();
  const WallTime started_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Stimulus> inbox_;                                             // guarded by mutex_
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;  // guarded by mutex_
  std::map<std::string, std::shared_ptr<ResourceTask>> tasks_;             // guarded by mutex_; "acquire r 1"
  std::map<std::string, Attempt> attempts_;                                // of the driving thread; "op 1"
  std::optional<Time> forced_at_;
  bool cancel_instead_ = false;
  Status store_error_;
  int stuck_ = 0;
};

}  // namespace mutirao::orchestration
