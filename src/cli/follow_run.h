#pragma once

#include <string>

#include "base/json.h"
#include "cli/terminal.h"

namespace mutirao::cli {

/// Call the project's server for a run, print its id, and with `wait` follow it to its end. Gives the exit code.
/// REQUIRES with `wait`: HoldStopSignals.
int CallAndFollow(const Terminal& terminal, const std::string& project_root, const std::string& method,
                  const Json& call, bool wait);

/// Wait for the end of a run. Gives the exit code: that of the run. REQUIRES: HoldStopSignals.
int FollowToEnd(const Terminal& terminal, const std::string& project_root, const std::string& run_id);

}  // namespace mutirao::cli
