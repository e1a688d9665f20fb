#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"

namespace mutirao::orchestration {

/// The config of a cluster resource, read. What is not given has its default.
struct ClusterConfig {
  std::string provider = "embedded";
  int least_workers = 0;  ///< 0: as the provider has it
  int most_workers = 0;
  std::chrono::duration<double> start_timeout{600};
  std::chrono::duration<double> idle_timeout{1200};
  std::chrono::duration<double> worker_timeout{60};
  double price_per_worker_hour = 0;
  std::string python;
  std::string name;  ///< empty: the lease's
  /// What the driver's provider is given.
  Json driver = Json::object();

  bool is_embedded() const { return provider == "embedded"; }
};

/// Read a config that fits its schema. What is missing or wrong for its provider goes to `errors` with pointers into
/// the config.
ClusterConfig ReadClusterConfig(const Json& config, Diagnostics& errors);

/// The keys of a config that its provider has no use for.
std::vector<std::string> IdleKeys(const Json& config);

/// The name of the cluster that a lease is for.
std::string ClusterName(const ClusterConfig& config, const std::string& lease, const std::string& run_id);

}  // namespace mutirao::orchestration
