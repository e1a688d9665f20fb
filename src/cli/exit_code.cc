#include "cli/exit_code.h"

#include <csignal>

namespace mutirao::cli {

int ExitCodeForSignal(int signal) {
  return 128 + signal;
}

int ExitCodeFor(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return kExitOk;
    case StatusCode::kInvalid:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kUnsupported:
      return kExitInput;
    case StatusCode::kIo:
    case StatusCode::kUnavailable:
    case StatusCode::kExhausted:
    case StatusCode::kInternal:
      return kExitInfrastructure;
    case StatusCode::kFailed:
    case StatusCode::kDeadline:
      return kExitFailed;
    case StatusCode::kCancelled:
      return ExitCodeForSignal(SIGINT);
  }
  return kExitInfrastructure;
}

int ExitCodeFor(const orchestration::RunRecord& run) {
  for (const orchestration::OpRecord& op : run.ops) {
    if (op.state == orchestration::OpState::kFailed) return ExitCodeFor(op.error);
  }
  return run.state == orchestration::RunState::kSucceeded ? kExitOk : kExitFailed;
}

}  // namespace mutirao::cli
