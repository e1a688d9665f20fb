#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestration/config/project.h"
#include "orchestration/run/run.h"
#include "runner/run_events.h"

namespace mutirao::runner {

/// An op's command with everything replaced: what will be started.
struct BoundCommand {
  std::vector<std::string> argv;
  std::string working_dir;
  std::map<std::string, std::string> environment;  ///< on top of the run's
  Json config;                                     ///< handed over as MUTIRAO_CONFIG
};

/// Put the values of a run into an op's command. Faults are added to `errors`.
BoundCommand BindCommand(const orchestration::LoadedJob& job, const orchestration::OpDef& op, const std::string& run_id,
                         Diagnostics& errors);

/// Run a command to its end. It sees MUTIRAO_RUN_ID, MUTIRAO_JOB, MUTIRAO_OP, MUTIRAO_ATTEMPT and MUTIRAO_CONFIG (the
/// op's config as JSON). On a stop request its process group gets SIGTERM, after the grace period SIGKILL.
/// Gives {"exit_code", "stdout_tail", "stderr_tail"}.
/// Errors: kFailed when it ends with another code than 0 or by a signal; kCancelled; kNotFound without such a program.
Result<Json> RunCommand(const orchestration::LoadedJob& job, const orchestration::OpDef& op,
                        const BoundCommand& command, const orchestration::OpAttempt& attempt, RunEvents& events);

/// Let commands that are being stopped no grace period any more. Threads: any.
void KillCommandsNow();

}  // namespace mutirao::runner
