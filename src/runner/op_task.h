#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/json.h"
#include "orchestration/run/run.h"
#include "runner/module_op.h"

namespace mutirao::runner {

/// What surrounds an op of a module in a process of somebody else, a worker of a cluster.
struct OpTaskHooks {
  std::string modules;  ///< folder of the libraries
  std::stop_token stop;
  std::function<void(const std::string& line)> log;
  std::function<void(double share)> progress;
};

/// Write the document by which any process runs an op of a module; see docs/formats/task.md. Resources travel as their
/// facts.
Json MakeOpTask(const orchestration::OpDef& op, const BoundModule& module, const orchestration::OpAttempt& attempt);

bool IsOpTask(const Json& document);

/// Run such a document, whose member "module" names a file in the folder of modules. Gives {"outcome": …}, as
/// RunModuleOp does.
/// Errors: kInvalid for a document that is none, or a library of another platform; else as RunModuleOp.
Result<Json> RunOpTask(const Json& document, const OpTaskHooks& hooks);

}  // namespace mutirao::runner
