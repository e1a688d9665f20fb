#pragma once

#include <string>
#include <vector>

#include "orchestration/config/project.h"

namespace mutirao::orchestration {

/// What a run was asked for, as the store keeps it: everything that a worker needs to load the job again but for the
/// project's own files and the environment.
///
///     {"params": ["uf=SP"], "config": [{"origin": "file prod.yaml", "values": {…}}], "set": ["ops.load.config.n=1"],
///      "memory": "2GiB", "max_parallel_ops": "4", "spill_dir": "/mnt", "only": ["load+"], "from_failure": true}
///
/// Parts that were not given are left out.
struct StoredRequest {
  Json json = Json::object();
  /// Names of values that look secret: they are stored as "***", so only the process that has them can use them.
  std::vector<std::string> masked;
};

/// Make a request fit to be stored: config files are read, secrets masked. `only` and `from_failure` say which ops run.
/// Errors: those of reading a config file; its faults go to `faults`.
Result<StoredRequest> StoreRequest(const LaunchRequest& request, const std::vector<std::string>& only,
                                   bool from_failure, std::vector<ConfigFault>& faults);

/// Read what StoreRequest made. `job_file` and `project_root` are those of the run.
/// Errors: kInvalid, also for one with masked values: they are lost.
Result<LaunchRequest> ReadStoredRequest(const Json& json, const std::string& job_file, const std::string& project_root,
                                        Environment environment);

/// The ops that a stored request names; empty: all.
std::vector<std::string> OnlyOf(const Json& request);

/// Say whether the run is to leave out what succeeded in its parent.
bool FromFailure(const Json& request);

}  // namespace mutirao::orchestration
