#include "orchestration/config/new_run.h"

#include <filesystem>

#include <fmt/format.h>

#include "base/id.h"
#include "orchestration/config/variables.h"

namespace mutirao::orchestration {

NewRun MakeNewRun(const JobDef& job, const std::string& job_file, const std::string& project_root,
                  const InstanceSettings& instance, const Json& request, const std::set<std::string>& selected) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(job_file, error).lexically_normal();
  NewRun run{.id = MakeRunId(),
             .job = job.name,
             .job_file = error ? job_file : absolute.string(),
             .project_root = project_root,
             .request = request,
             .priority = job.priority};
  Json hooks = Json::array();
  for (const HookDef& hook : instance.hooks) hooks.push_back(hook.ToJson());
  for (const HookDef& hook : job.hooks) hooks.push_back(hook.ToJson());
  if (!hooks.empty()) run.request[kRequestHooks] = std::move(hooks);
  for (const auto& [name, value] : job.tags.items()) run.tags[name] = ValueAsText(value);
  std::set<std::string> resources;
  for (const OpDef& op : job.ops) {
    if (selected.contains(op.name)) resources.insert(op.resources.begin(), op.resources.end());
  }
  run.resources.assign(resources.begin(), resources.end());
  return run;
}

Status SetTag(NewRun& run, const std::string& name, const std::string& value) {
  if (name.empty()) return Status::Invalid("a tag needs a name").Help("write NAME=VALUE");
  if (name.starts_with(kReservedTags)) {
    return Status::Invalid(fmt::format("tags that begin with \"{}\" are set by the program", kReservedTags));
  }
  run.tags[name] = value;
  return Status::Ok();
}

}  // namespace mutirao::orchestration
