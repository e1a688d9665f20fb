#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/command.h"

namespace mutirao::cli {

/// Load the job that the flags name and find everything that can be found wrong before anything starts.
/// What is wrong is told on `terminal`; `code` is the exit code then.
bool PrepareJob(const Terminal& terminal, const LaunchFlags& flags, const std::vector<std::string>& only,
                std::optional<orchestration::LoadedJob>& job, std::set<std::string>& selected, int& code);

}  // namespace mutirao::cli
