#pragma once

#include <string>
#include <vector>

#include "orchestration/config/new_run.h"

namespace mutirao::orchestration {

/// Which ops of an ended run go again.
struct RerunChoice {
  /// Those that did not succeed; the results of the others are taken over.
  bool from_failure = false;
  /// These; the results of the others are taken over. Empty: as in the run before.
  std::vector<std::string> only;
};

/// Make the run that repeats another with the same request, by the job's file as it is now.
/// Errors: kInvalid when the run has not ended, or nothing of it failed; those of loading the job.
Result<NewRun> MakeRerun(const RunRow& parent, const RerunChoice& choice, const InstanceSettings& instance,
                         const Environment& environment);

/// Make the run of a request whose job is at `job_file`: loads and checks all but what ops mean.
/// Errors: kInvalid with all faults; kNotFound.
Result<NewRun> MakeLaunch(const std::string& job_file, const std::string& project_root, const Json& request,
                          const InstanceSettings& instance, const Environment& environment);

}  // namespace mutirao::orchestration
