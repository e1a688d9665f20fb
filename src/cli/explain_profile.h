#pragma once

#include <string>

#include "cli/command.h"
#include "cli/terminal.h"

namespace mutirao::cli {

/// Show the plan of a job as it ran, with what each node took (`mutirao explain JOB --last`, `--profile FILE`); gives
/// the exit code. `file` empty: the profile that the last `mutirao run --profile` of the job left.
int ExplainProfile(const Terminal& terminal, const LaunchFlags& flags, const std::string& file);

/// The text of a profile document (docs/formats/profile.md): a table beside the tree of each op's plan.
/// Errors: kInvalid for what is no such document.
Result<std::string> ProfileText(const Json& profile);

}  // namespace mutirao::cli
