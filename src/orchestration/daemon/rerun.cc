#include "orchestration/daemon/rerun.h"

#include <fmt/format.h>

#include "orchestration/definition/op_graph.h"

namespace mutirao::orchestration {
namespace {

Status AllFaults(const std::vector<ConfigFault>& faults) {
  std::string text;
  for (const ConfigFault& fault : faults) text += RenderFault(fault, false);
  while (text.ends_with('\n')) text.pop_back();
  return Status::Invalid(text.starts_with("error: ") ? text.substr(7) : text);
}

}  // namespace

Result<NewRun> MakeLaunch(const std::string& job_file, const std::string& project_root, const Json& request,
                          const InstanceSettings& instance, const Environment& environment) {
  const LaunchRequest launch = MUTIRAO_TRY(ReadStoredRequest(request, job_file, project_root, environment));
  std::vector<ConfigFault> faults;
  Result<LoadedJob> job = LoadJob(launch, faults);
  if (!job.ok() && faults.empty()) return job.status();
  if (!faults.empty()) return AllFaults(faults);
  if (!job->launch.missing.empty()) {
    return Status::Invalid(fmt::format("param \"{}\" of job {} has no value", job->launch.missing[0], job->def.name))
        .Help(fmt::format("give one with -p {}=VALUE, or a default in the job", job->launch.missing[0]));
  }
  const std::set<std::string> selected = MUTIRAO_TRY(SelectOps(job->def, OnlyOf(request)));
  return MakeNewRun(job->def, job->path, job->project.root, instance, request, selected);
}

Result<NewRun> MakeRerun(const RunRow& parent, const RerunChoice& choice, const InstanceSettings& instance,
                         const Environment& environment) {
  const std::string& id = parent.spec.id;
  if (!IsFinal(parent.state)) {
    return Status::Invalid(fmt::format("run {} has not ended: it is {}", id, RunStateName(parent.state)))
        .Help(fmt::format("wait for it, or `mutirao cancel {}`", id));
  }
  if (choice.from_failure && parent.state == RunState::kSucceeded) {
    return Status::Invalid(fmt::format("nothing of run {} failed", id))
        .Help(fmt::format("`mutirao rerun {}` runs all of it again", id));
  }
  Json request = parent.spec.request;
  for (const char* part : {"from_failure", "local", kRequestHooks}) request.erase(part);
  if (choice.from_failure) request["from_failure"] = true;
  if (!choice.only.empty()) request["only"] = choice.only;
  NewRun run = MUTIRAO_TRY(MakeLaunch(parent.spec.job_file, parent.spec.project_root, request, instance, environment));
  for (const auto& [name, value] : parent.spec.tags.items()) {
    if (!name.starts_with(kReservedTags)) run.tags[name] = value;
  }
  run.priority = parent.spec.priority;
  run.parent_id = id;
  run.root_id = parent.spec.root_id.empty() ? id : parent.spec.root_id;
  run.partition = parent.spec.partition;
  return run;
}

}  // namespace mutirao::orchestration
