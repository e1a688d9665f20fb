#pragma once

#include <string>

#include "cli/terminal.h"
#include "runner/run_profile.h"

namespace mutirao::cli {

/// The value of --profile that stands for the project's own folder.
inline constexpr const char* kProfileFolder = "profile";

/// Make the folder of a run's profile; `flag` is what --profile says. Gives its path, empty when no profile is wanted.
/// Errors: kInvalid when it cannot be made, which is to be told before anything runs.
Result<std::string> MakeProfileFolder(const orchestration::LoadedJob& job, const std::string& flag);

/// Write the profile of a run that ended and tell where it is. `run`: its document. A failure is a warning: the run's
/// outputs stand.
void WriteProfile(const Terminal& terminal, const runner::RunProfile& profile, const std::string& folder,
                  const Json& run);

}  // namespace mutirao::cli
