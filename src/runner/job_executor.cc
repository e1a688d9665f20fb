#include "runner/job_executor.h"

#include <map>

#include <fmt/format.h>

#include "orchestration/definition/cluster_config.h"
#include "orchestration/resource/known_kinds.h"
#include "orchestration/run/make_run_plan.h"
#include "runner/bind_frames.h"
#include "runner/check_places.h"
#include "runner/cluster_kind.h"
#include "runner/command_op.h"
#include "runner/command_run.h"
#include "runner/frames_op.h"
#include "runner/job_functions.h"
#include "runner/module_op.h"

namespace mutirao::runner {
namespace {

using orchestration::LoadedJob;
using orchestration::OpBody;
using orchestration::OpDef;

// A run id in the form of real ones, for checks that start no run.
constexpr const char* kNoRun = "20000101-000000-00000000";

// The cluster among what the op requires; null when there is none, or none but this process.
cluster::DaskCluster* ClusterOf(const OpDef& op, const orchestration::OpAttempt& attempt) {
  for (const std::string& name : op.resources) {
    const auto resource = attempt.resources.find(name);
    if (resource == attempt.resources.end()) continue;
    if (cluster::DaskCluster* cluster = ClusterBehind(resource->second)) return cluster;
  }
  return nullptr;
}

// An op must not replace what another op of the job writes. `written`: which op writes to which place.
void CheckAgainstOtherOps(const BoundFrames& bound, const OpDef& op, const std::string& root,
                          std::map<std::string, std::string>& written, Diagnostics& errors) {
  for (const BoundFrames::Write& write : bound.writes) {
    auto [other, is_new] = written.emplace(PlaceOf(root, write.sink->target()), op.name);
    if (is_new || other->second == op.name || write.sink->ToJson().value("mode", "error") == "append") continue;
    errors.Add({.message = fmt::format("op \"{}\" writes to {} too", other->second, write.sink->target()),
                .pointer = write.pointer + "/" + write.sink->kind(),
                .help = "give each a place of its own, or let the second one append"});
  }
}

void NoteIdleConfig(const LoadedJob& job, std::vector<std::string>& notes) {
  for (const auto& [name, config] : job.launch.resources) {
    const orchestration::ResourceDef* def = job.def.FindResource(name);
    if (def == nullptr || def->type != "cluster") continue;
    const std::vector<std::string> idle = orchestration::IdleKeys(config);
    if (idle.empty()) continue;
    notes.push_back(fmt::format("resource {}: {} {} no effect with provider {}", name, fmt::join(idle, ", "),
                                idle.size() == 1 ? "has" : "have", config.value("provider", std::string("embedded"))));
  }
  if (!job.def.schedules.empty())
    notes.push_back("schedules are acted on by a server; `mutirao run` starts the job now");
}

}  // namespace

Status JobExecutor::Execute(const OpDef& op, const orchestration::OpAttempt& attempt, Json& outcome) {
  Diagnostics errors;
  if (op.body == OpBody::kCommand) {
    BoundCommand command = BindCommand(job_, op, attempt.run_id, &attempt, errors);
    if (!errors.empty()) return Refuse(op, errors);
    return RunCommand(job_, op, command, attempt, events_, outcome);
  }
  if (op.body == OpBody::kModule) {
    BoundModule module = BindModule(job_, op, attempt.run_id, &attempt, errors);
    if (!errors.empty()) return Refuse(op, errors);
    cluster::DaskCluster* cluster = ClusterOf(op, attempt);
    if (cluster == nullptr) {
      outcome = MUTIRAO_TRY(RunModuleOp(op, module, attempt, events_));
    } else {
      outcome = MUTIRAO_TRY(RunModuleOpOnCluster(*cluster, op, module, attempt, events_));
    }
    return Status::Ok();
  }
  BoundFrames bound = BindFrames(job_, op, attempt.run_id, {.attempt = &attempt}, errors);
  if (!errors.empty()) return Refuse(op, errors);
  return RunFrames(job_, op, bound, attempt, ClusterOf(op, attempt), events_, outcome);
}

void JobExecutor::ForceStop() {
  KillCommandsNow();
}

Status JobExecutor::Refuse(const OpDef& op, const Diagnostics& errors) {
  std::vector<orchestration::ConfigFault> faults;
  AddFaults(errors, job_.document, faults);
  events_.OpIsWrong(op.name, faults);
  const Diagnostic& first = errors.list()[0];
  return Status::Invalid(errors.size() == 1 ? first.message
                                            : fmt::format("{} (and {} more)", first.message, errors.size() - 1))
      .Help(first.help);
}

JobCheck CheckJob(const LoadedJob& job, const std::set<std::string>& selected) {
  JobCheck check;
  std::map<std::string, std::string> written;
  NoteIdleConfig(job, check.notes);
  Result<orchestration::RunPlan> plan =
      orchestration::MakeRunPlan(job, orchestration::KnownResourceKinds(), kNoRun, selected, {});
  if (!plan.ok()) {
    Diagnostics errors;
    errors.Add({.message = plan.status().message(), .pointer = "/resources", .help = plan.status().help()});
    AddFaults(errors, job.document, check.faults);
  }
  Diagnostics faults;
  const bool functions_known = !orchestration::UsesAny(Json(job.def.functions), job.launch.missing);
  if (functions_known) LoadJobFunctions(job, faults);
  AddFaults(faults, job.document, check.faults);
  for (const OpDef& op : job.def.ops) {
    if (!selected.empty() && !selected.contains(op.name)) continue;
    // Without the functions nearly every expression that calls one would be told too.
    if (op.body == OpBody::kFrames && !faults.empty()) continue;
    if (orchestration::UsesAny(op.spec, job.launch.missing) || (op.body == OpBody::kFrames && !functions_known)) {
      check.notes.push_back(fmt::format(
          "op {} is not checked: {} no value; give one with -p", op.name,
          fmt::format("{} {}", fmt::join(job.launch.missing, ", "), job.launch.missing.size() == 1 ? "has" : "have")));
      continue;
    }
    Diagnostics errors;
    if (op.body == OpBody::kCommand) {
      BindCommand(job, op, kNoRun, nullptr, errors);
    } else if (op.body == OpBody::kModule) {
      BindModule(job, op, kNoRun, nullptr, errors);
    } else {
      BoundFrames bound = BindFrames(job, op, kNoRun, {.defer_missing = true}, errors);
      CheckAgainstOtherOps(bound, op, job.project.root, written, errors);
      check.notes.insert(check.notes.end(), bound.deferred.begin(), bound.deferred.end());
    }
    AddFaults(errors, job.document, check.faults);
  }
  return check;
}

}  // namespace mutirao::runner
