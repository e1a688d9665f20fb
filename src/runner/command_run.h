#pragma once

#include "orchestration/config/project.h"
#include "orchestration/run/run.h"
#include "runner/command_op.h"
#include "runner/run_events.h"

namespace mutirao::runner {

/// Run a command to its end, in a process group of its own, of which nothing is left then. It sees MUTIRAO_RUN_ID,
/// MUTIRAO_JOB, MUTIRAO_OP, MUTIRAO_ATTEMPT, MUTIRAO_CONFIG (the op's config as JSON), MUTIRAO_IN_<NAME>,
/// MUTIRAO_RESOURCE_<NAME> and the two parameters of the Pipes protocol. On a stop request its group gets SIGINT, five
/// seconds later SIGTERM, five seconds later SIGKILL.
///
/// `outcome` becomes {"exit_code" or "signal", "stdout_tail", "stderr_tail", "log", "pipes", "outputs"}, also when the
/// command failed: what it reported is evidence then.
/// Errors: kFailed when it ends with another code than 0, by a signal, or sent messages that cannot be read;
/// kExhausted when the kernel killed it for want of memory; kCancelled; kNotFound without such a program.
Status RunCommand(const orchestration::LoadedJob& job, const orchestration::OpDef& op, const BoundCommand& command,
                  const orchestration::OpAttempt& attempt, RunEvents& events, Json& outcome);

/// Let commands that are being stopped no grace period any more. Threads: any.
void KillCommandsNow();

}  // namespace mutirao::runner
