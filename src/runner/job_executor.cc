#include "runner/job_executor.h"

#include <fmt/format.h>

#include "runner/bind_frames.h"
#include "runner/command_op.h"
#include "runner/frames_op.h"
#include "runner/module_op.h"

namespace mutirao::runner {
namespace {

using orchestration::LoadedJob;
using orchestration::OpBody;
using orchestration::OpDef;

// A run id in the form of real ones, for checks that start no run.
constexpr const char* kNoRun = "20000101-000000-00000000";

bool Mentions(const Json& value, const std::vector<std::string>& names) {
  if (value.is_structured()) {
    for (const Json& item : value) {
      if (Mentions(item, names)) return true;
    }
    return false;
  }
  if (!value.is_string()) return false;
  for (const orchestration::VariableUse& use : orchestration::FindVariables(value.get<std::string>())) {
    if (std::find(names.begin(), names.end(), use.name) != names.end()) return true;
  }
  return false;
}

void NoteIdleConfig(const LoadedJob& job, std::vector<std::string>& notes) {
  for (const auto& [name, config] : job.launch.resources) {
    std::vector<std::string> idle;
    for (const auto& [key, value] : config.items()) {
      if (key != "provider" && key != "n_workers") idle.push_back(key);
    }
    if (idle.empty()) continue;
    notes.push_back(fmt::format("resource {}: {} {} no effect with provider embedded", name, fmt::join(idle, ", "),
                                idle.size() == 1 ? "has" : "have"));
  }
  if (!job.def.schedules.empty())
    notes.push_back("schedules are acted on by a server; `mutirao run` starts the job now");
}

}  // namespace

Result<Json> JobExecutor::Execute(const OpDef& op, const orchestration::OpAttempt& attempt) {
  Diagnostics errors;
  if (op.body == OpBody::kCommand) {
    BoundCommand command = BindCommand(job_, op, attempt.run_id, errors);
    if (!errors.empty()) return Refuse(op, errors);
    return RunCommand(job_, op, command, attempt, events_);
  }
  if (op.body == OpBody::kModule) {
    BoundModule module = BindModule(job_, op, attempt.run_id, errors);
    if (!errors.empty()) return Refuse(op, errors);
    return RunModuleOp(op, module, attempt, events_);
  }
  BoundFrames bound = BindFrames(job_, op, attempt.run_id, false, errors);
  if (!errors.empty()) return Refuse(op, errors);
  Json outcome = MUTIRAO_TRY(RunFrames(job_, op, bound, attempt, events_));
  events_.OpPublished(op.name, outcome);
  return outcome;
}

Status JobExecutor::Refuse(const OpDef& op, const Diagnostics& errors) {
  std::vector<orchestration::ConfigFault> faults;
  AddFaults(errors, job_.document, faults);
  events_.OpIsWrong(op.name, faults);
  return Status::Invalid(errors.size() == 1
                             ? errors.list()[0].message
                             : fmt::format("{} (and {} more)", errors.list()[0].message, errors.size() - 1));
}

JobCheck CheckJob(const LoadedJob& job, const std::set<std::string>& selected) {
  JobCheck check;
  NoteIdleConfig(job, check.notes);
  for (const OpDef& op : job.def.ops) {
    if (!selected.empty() && !selected.contains(op.name)) continue;
    if (Mentions(op.spec, job.launch.missing)) {
      check.notes.push_back(fmt::format(
          "op {} is not checked: {} no value; give one with -p", op.name,
          fmt::format("{} {}", fmt::join(job.launch.missing, ", "), job.launch.missing.size() == 1 ? "has" : "have")));
      continue;
    }
    Diagnostics errors;
    if (op.body == OpBody::kCommand) {
      BindCommand(job, op, kNoRun, errors);
    } else if (op.body == OpBody::kModule) {
      BindModule(job, op, kNoRun, errors);
    } else {
      BoundFrames bound = BindFrames(job, op, kNoRun, true, errors);
      check.notes.insert(check.notes.end(), bound.deferred.begin(), bound.deferred.end());
    }
    AddFaults(errors, job.document, check.faults);
  }
  return check;
}

}  // namespace mutirao::runner
