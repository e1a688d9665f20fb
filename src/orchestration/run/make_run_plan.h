#pragma once

#include <set>
#include <string>

#include "orchestration/config/project.h"
#include "orchestration/resource/resource_kind.h"
#include "orchestration/run/run_machine.h"

namespace mutirao::orchestration {

/// Put together what a run of a job has to bring about. Resources of types that `kinds` does not have are nothing to be
/// made and are left out. `taken_over`: ops that an earlier run did, and that run.
/// Errors: kInvalid when resources wait for each other or use one that is not there.
Result<RunPlan> MakeRunPlan(const LoadedJob& job, const ResourceKinds& kinds, const std::string& run_id,
                            const std::set<std::string>& selected,
                            const std::map<std::string, std::string>& taken_over);

/// The names of the resources that the selected ops require, directly or not.
std::vector<std::string> ResourcesOf(const RunPlan& plan);

}  // namespace mutirao::orchestration
