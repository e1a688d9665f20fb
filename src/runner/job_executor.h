#pragma once

#include "orchestration/config/project.h"
#include "orchestration/run/run.h"
#include "runner/run_events.h"

namespace mutirao::runner {

/// Runs the ops of a job: frames by the engine in this process or on the cluster that the op requires, commands as
/// child processes.
class JobExecutor : public orchestration::OpExecutor {
 public:
  /// Both must outlive the executor.
  JobExecutor(const orchestration::LoadedJob& job, RunEvents& events) : job_(job), events_(events) {}

  Status Execute(const orchestration::OpDef& op, const orchestration::OpAttempt& attempt, Json& outcome) override;
  void ForceStop() override;

 private:
  Status Refuse(const orchestration::OpDef& op, const Diagnostics& errors);

  const orchestration::LoadedJob& job_;
  RunEvents& events_;
};

/// What a look at a job's ops found without running them.
struct JobCheck {
  std::vector<orchestration::ConfigFault> faults;
  /// What could not be checked yet or will have no effect, in words.
  std::vector<std::string> notes;
};

/// Build every selected op as far as files allow. `selected` empty: all.
JobCheck CheckJob(const orchestration::LoadedJob& job, const std::set<std::string>& selected);

}  // namespace mutirao::runner
