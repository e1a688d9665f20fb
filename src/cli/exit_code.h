#pragma once

#include <mutirao/status.h>

#include "orchestration/run/run.h"

namespace mutirao::cli {

/// What the program tells its caller: the one place where failures become exit codes.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;          ///< the run or the check ran and failed
inline constexpr int kExitUsage = 2;           ///< the command line is wrong
inline constexpr int kExitInput = 3;           ///< file, config or expression of the user is wrong
inline constexpr int kExitInfrastructure = 4;  ///< disk, network, limits; also our own errors

/// 128 + the signal: 130 after Ctrl-C, 143 after SIGTERM.
int ExitCodeForSignal(int signal);

/// kInvalid, kNotFound, kAlreadyExists, kUnsupported → 3; kIo, kUnavailable, kExhausted, kInternal → 4;
/// kFailed, kDeadline → 1; kCancelled → 130.
int ExitCodeFor(const Status& status);

/// That of the first op that failed, in the order of the run; 0 when all went well.
int ExitCodeFor(const orchestration::RunRecord& run);

}  // namespace mutirao::cli
