#pragma once

#include "base/diagnostic.h"
#include "base/json.h"
#include "frame/expr/function.h"
#include "orchestration/config/project.h"

namespace mutirao::runner {

/// Load the modules that a job names under `functions:` and give what expressions of the job may call beside the
/// built-in functions. Faults, also a name that two modules give, are added to `errors`.
frame::FunctionSet LoadJobFunctions(const orchestration::LoadedJob& job, Diagnostics& errors);

/// Load, of the libraries in `folder`, those that a task's plan calls functions of; see docs/formats/task.md.
/// Errors: kNotFound when one is not there; as LoadModuleFunctions.
Result<frame::FunctionSet> LoadTaskFunctions(const Json& task, const std::string& folder);

}  // namespace mutirao::runner
