#pragma once

#include "orchestration/config/project.h"
#include "orchestration/run/run.h"

namespace mutirao::runner {

/// Tell a run as one document, see docs/formats/run-json.md. Values of the environment are not in it, only names.
Json RunToJson(const orchestration::LoadedJob& job, const orchestration::RunRecord& run);

/// The params and config of a launch with the origin of each value: {"params", "config"} of the document.
Json LaunchToJson(const orchestration::LoadedJob& job);

/// Write the document beside each output of the run's ops that is a local path: "<parent>/<name>.run.json".
/// Gives the paths. Errors: kIo.
Result<std::vector<std::string>> WriteRunJson(const orchestration::LoadedJob& job, const Json& run);

/// The most memory this process ever held, in bytes.
int64_t PeakMemory();

}  // namespace mutirao::runner
