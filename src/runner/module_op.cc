#include "runner/module_op.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "cluster/dask/op_run.h"
#include "orchestration/run/event.h"
#include "runner/bind_frames.h"
#include "runner/cluster_frames.h"
#include "runner/op_task.h"
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
  if (reference.ok()) bound.reference = *reference;
  Result<OpFunction> function = reference.ok() ? LoadModuleOp(*reference) : Result<OpFunction>(reference.status());
  if (function.ok()) {
    bound.function = *function;
    return bound;
  }
  errors.Add({.message = function.status().ToString(), .pointer = pointer, .help = function.status().help()});
  return bound;
}

Result<Json> CallModuleOp(OpFunction function, ModuleOpContext::Facts facts) {
  const std::string name = facts.op_name;
  const std::stop_token stop = facts.stop;
  ModuleOpContext context(std::move(facts));
  try {
    MUTIRAO_TRY(function(context));
  } catch (const std::exception& error) {
    return Status::Failed(fmt::format("module op {} threw an exception: {}", name, error.what()));
  } catch (...) {
    return Status::Failed(fmt::format("module op {} threw an exception", name));
  }
  if (stop.stop_requested()) return Status::Cancelled(fmt::format("module op {} was stopped", name));
  Json outcome;
  outcome["metadata"] = context.metadata();
  outcome["outputs"] = context.outputs();
  return outcome;
}

Result<Json> RunModuleOp(const OpDef& op, const BoundModule& module, const orchestration::OpAttempt& attempt,
                         RunEvents& events) {
  return CallModuleOp(module.function, {.run_id = attempt.run_id,
                                        .op_name = op.name,
                                        .project_root = module.project_root,
                                        .attempt = attempt.number,
                                        .config = module.config,
                                        .stop = attempt.stop,
                                        .log = [&](const std::string& line) { events.OpWrote(op.name, line); },
                                        .progress = [&](double share) { TellProgress(attempt, share); },
                                        .resources = attempt.resources,
                                        .inputs = module.inputs});
}

Result<Json> RunModuleOpOnCluster(cluster::DaskCluster& cluster, const OpDef& op, const BoundModule& module,
                                  const orchestration::OpAttempt& attempt, RunEvents& events) {
  cluster::ModuleTask task;
  task.library = module.reference.path;
  task.attempt = fmt::format("{}-{}-{}", attempt.run_id, op.name, attempt.number);
  task.document = MakeOpTask(op, module, attempt);
  task.stop = attempt.stop;
  task.news = [&](const Json& news) {
    if (news.contains("share") && news["share"].is_number()) TellProgress(attempt, news["share"].get<double>());
    if (!news.contains("lines") || !news["lines"].is_array()) return;
    for (const Json& line : news["lines"]) {
      // The worker does not know what is secret here.
      if (line.is_string()) events.OpWrote(op.name, Redactor::Global().Mask(line.get<std::string>()));
    }
  };
  task.on_event = ClusterListener(op, attempt, events);
  Json result = MUTIRAO_TRY(cluster.RunModule(task));
  if (!result.contains("outcome") || !result["outcome"].is_object()) {
    return Status::Internal("a worker gave no outcome of the op");
  }
  return result["outcome"];
}

}  // namespace mutirao::runner
