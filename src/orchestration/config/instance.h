#pragma once

#include <string>
#include <vector>

#include "orchestration/config/project.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

/// What mutirao.yaml says about runs of all jobs, with the defaults of what it does not.
struct InstanceSettings {
  StoreLocation store;
  QueueLimits queue;
  Retention retention;
  std::vector<HookDef> hooks;
  /// Address for Prometheus; empty: none.
  std::string metrics;
};

/// Read the settings of a project. MUTIRAO_STORE goes before `store:`.
/// Errors: kInvalid; the faults with their places go to `faults`.
Result<InstanceSettings> ReadInstance(const Project& project, std::vector<ConfigFault>& faults);

/// The folder of a project that the program keeps its own things in: sockets, locks, logs of runs.
std::string StateFolder(const std::string& project_root);

/// The folder of a run's logs. REQUIRES: IsRunId(run_id).
std::string RunFolder(const std::string& project_root, const std::string& run_id);

}  // namespace mutirao::orchestration
