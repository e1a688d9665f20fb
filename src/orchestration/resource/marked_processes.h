#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <mutirao/status.h>

#include "base/process_identity.h"

namespace mutirao::orchestration {

/// The variable that marks every process of a lease; children inherit it, so those that left their group are found too.
inline constexpr const char* kLeaseVariable = "MUTIRAO_LEASE";

/// The processes of this machine whose environment, as they were started with, has MUTIRAO_LEASE=`lease`; not this one.
std::vector<ProcessIdentity> FindMarked(const std::string& lease);

/// End all processes of a lease: SIGTERM, after `grace` SIGKILL. OK when none is there any more.
/// Errors: kDeadline when one is still there at `deadline`.
Status EndMarked(const std::string& lease, std::chrono::milliseconds grace,
                 std::chrono::steady_clock::time_point deadline);

}  // namespace mutirao::orchestration
