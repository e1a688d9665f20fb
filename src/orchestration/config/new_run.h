#pragma once

#include <set>
#include <string>

#include "orchestration/config/instance.h"
#include "orchestration/config/request.h"

namespace mutirao::orchestration {

/// Make what is stored of a run that is asked for: the request, its hooks (those of mutirao.yaml, then the job's), the
/// job's tags and priority, and the resources that the selected ops require. The caller adds what it knows better:
/// parent, tick, idempotency key, further tags.
NewRun MakeNewRun(const JobDef& job, const std::string& job_file, const std::string& project_root,
                  const InstanceSettings& instance, const Json& request, const std::set<std::string>& selected);

/// Set a tag that a user asks for. Errors: kInvalid for an empty name and for those that the program sets itself.
Status SetTag(NewRun& run, const std::string& name, const std::string& value);

/// Key of a stored request that holds the run's hooks, each as HookDef::ToJson.
inline constexpr const char* kRequestHooks = "hooks";

}  // namespace mutirao::orchestration
