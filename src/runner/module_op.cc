#include "runner/module_op.h"

#include <fmt/format.h>

#include "runner/bind_frames.h"
#include "storage/storage.h"

namespace mutirao::runner {

using orchestration::LoadedJob;
using orchestration::OpDef;

BoundModule BindModule(const LoadedJob& job, const OpDef& op, const std::string& run_id, Diagnostics& errors) {
  const std::string pointer = op.pointer + "/module";
  const size_t faults_before = errors.size();
  orchestration::Variables variables = VariablesOf(job, op, run_id);
  std::string text = variables.ExpandText(op.spec["module"].get<std::string>(), pointer, errors);
  BoundModule bound{.config = ConfigOf(job, op, run_id, errors)};
  if (errors.size() != faults_before) return bound;
  Result<ModuleReference> reference = ModuleReference::Parse(text);
  if (reference.ok()) reference->path = storage::ResolvePath(job.project.root, reference->path);
  Result<OpFunction> function = reference.ok() ? LoadModuleOp(*reference) : Result<OpFunction>(reference.status());
  if (function.ok()) {
    bound.function = *function;
    return bound;
  }
  errors.Add({.message = function.status().ToString(), .pointer = pointer, .help = function.status().help()});
  return bound;
}

Result<Json> RunModuleOp(const OpDef& op, const BoundModule& module, const orchestration::OpAttempt& attempt,
                         RunEvents& events) {
  ModuleOpContext context({.run_id = attempt.run_id,
                           .op_name = op.name,
                           .attempt = attempt.number,
                           .config = module.config,
                           .stop = attempt.stop,
                           .log = [&](const std::string& line) { events.OpWrote(op.name, line); }});
  try {
    MUTIRAO_TRY(module.function(context));
  } catch (const std::exception& error) {
    return Status::Failed(fmt::format("module op {} threw an exception: {}", op.name, error.what()));
  }
  if (attempt.stop.stop_requested()) return Status::Cancelled(fmt::format("module op {} was stopped", op.name));
  Json outcome;
  outcome["metadata"] = context.metadata();
  return outcome;
}

}  // namespace mutirao::runner
