#pragma once

#include <optional>
#include <set>

#include "cli/command.h"
#include "runner/bind_frames.h"

namespace mutirao::cli {

/// A job, and its frames ops bound to their inputs.
struct BoundJob {
  orchestration::LoadedJob job;
  /// By op, in the order of the job.
  std::vector<std::pair<const orchestration::OpDef*, runner::BoundFrames>> ops;
};

/// Load a job and bind its frames ops, or only those that have the frame `frame` (empty: all). What is wrong is told,
/// and nothing given.
std::unique_ptr<BoundJob> BindJobOrTell(const Terminal& terminal, const LaunchFlags& flags, const std::string& frame);

}  // namespace mutirao::cli
