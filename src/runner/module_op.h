#pragma once

#include "orchestration/config/project.h"
#include "orchestration/run/run.h"
#include "runner/module.h"
#include "runner/run_events.h"

namespace mutirao::runner {

/// An op of a module with everything replaced: what will be called.
struct BoundModule {
  OpFunction function = nullptr;
  Json config;
  OpInputs inputs;
  std::string project_root;
};

/// Find the function that an op's `module:` names. Its library is loaded, so its code runs from here on.
/// Faults are added to `errors`; the function is null then.
BoundModule BindModule(const orchestration::LoadedJob& job, const orchestration::OpDef& op, const std::string& run_id,
                       const orchestration::OpAttempt* attempt, Diagnostics& errors);

/// Run a module's op in this process. Gives {"metadata": what it attached, "outputs": what others may take}.
/// Errors: what the op returns; an exception out of it is kFailed.
Result<Json> RunModuleOp(const orchestration::OpDef& op, const BoundModule& module,
                         const orchestration::OpAttempt& attempt, RunEvents& events);

}  // namespace mutirao::runner
