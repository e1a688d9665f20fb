#include "runner/module_op.h"

#include <algorithm>

#include <fmt/format.h>

#include "orchestration/run/event.h"
#include "runner/bind_frames.h"
#include "storage/storage.h"

namespace mutirao::runner {

using orchestration::LoadedJob;
using orchestration::OpDef;

namespace {

void TellProgress(const orchestration::OpAttempt& attempt, double share) {
  if (attempt.emit) attempt.emit(orchestration::event::kOpProgress, {{"share", std::clamp(share, 0.0, 1.0)}});
}

}  // namespace

BoundModule BindModule(const LoadedJob& job, const OpDef& op, const std::string& run_id,
                       const orchestration::OpAttempt* attempt, Diagnostics& errors) {
  const std::string pointer = op.pointer + "/module";
  const size_t faults_before = errors.size();
  orchestration::Variables variables = VariablesOf(job, op, run_id);
  std::string text = variables.ExpandText(op.spec["module"].get<std::string>(), pointer, errors);
  BoundModule bound{.config = ConfigOf(job, op, run_id, errors), .project_root = job.project.root};
  bound.inputs = BindInputs(op, attempt, variables, errors);
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
                           .project_root = module.project_root,
                           .attempt = attempt.number,
                           .config = module.config,
                           .stop = attempt.stop,
                           .log = [&](const std::string& line) { events.OpWrote(op.name, line); },
                           .progress = [&](double share) { TellProgress(attempt, share); },
                           .resources = attempt.resources,
                           .inputs = module.inputs});
  try {
    MUTIRAO_TRY(module.function(context));
  } catch (const std::exception& error) {
    return Status::Failed(fmt::format("module op {} threw an exception: {}", op.name, error.what()));
  }
  if (attempt.stop.stop_requested()) return Status::Cancelled(fmt::format("module op {} was stopped", op.name));
  Json outcome;
  outcome["metadata"] = context.metadata();
  outcome["outputs"] = context.outputs();
  return outcome;
}

}  // namespace mutirao::runner
