#pragma once

#include <memory>
#include <set>
#include <string>

#include "orchestration/run/run_driver.h"
#include "orchestration/run/run_pulse.h"
#include "orchestration/store/store.h"
#include "runner/job_executor.h"
#include "runner/storing_events.h"

namespace mutirao::runner {

/// Do a run that the store has given to this process: begin it, drive it to its end, store what happens.
///
/// Threads: Run from one; Cancel from any.
class StoredRun {
 public:
  struct Options {
    std::string folder;  ///< of the run, there and 0700
    const Clock* clock = &Clock::System();
    /// Called when a forced stop had no effect: should end the process.
    std::function<void()> on_stuck;
  };

  /// `claimed` is as ClaimRun or ClaimNextRun gave it. What the request says of a parent run is looked up: results of
  /// ops that do not run again are taken over from it. All references must outlive this.
  /// Errors: kCancelled when the run is not this process's any more, or was cancelled before it began; those of the
  /// store.
  static Result<std::unique_ptr<StoredRun>> Begin(orchestration::Store& store, const orchestration::LoadedJob& job,
                                                  const orchestration::RunRow& claimed,
                                                  const std::set<std::string>& selected, RunEvents& events,
                                                  Options options);

  orchestration::RunRecord Run();

  /// Ask it to stop. `by` is stored: "SIGINT".
  void Cancel(const std::string& by, bool force);

  /// A thread hangs: the process must be left by _exit.
  bool has_stuck_threads() const { return driver_->has_stuck_threads(); }

 private:
  StoredRun(orchestration::Store& store, const orchestration::LoadedJob& job, std::string run_id, std::string claim,
            RunEvents& events, Options options);

  orchestration::Store& store_;
  const orchestration::LoadedJob& job_;
  const std::string run_id_;
  const std::string claim_;
  const Options options_;
  orchestration::RunJournal journal_;
  StoringEvents events_;
  JobExecutor executor_;
  orchestration::RunResources resources_;
  std::unique_ptr<orchestration::RunDriver> driver_;
};

/// End a claimed run that cannot begin: it fails with `cause`. Errors: those of the store.
Status FailBeforeBegin(orchestration::Store& store, const orchestration::RunRow& claimed, const Status& cause);

}  // namespace mutirao::runner
