#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "orchestration/config/project.h"
#include "orchestration/leases/lease_steps.h"
#include "orchestration/resource/resource_kind.h"

namespace mutirao::orchestration {

/// Make and end the resources of one run, each with its lease. When and in which order is the run machine's business.
///
/// Threads: Acquire and Release from any, for different resources at a time; Find from any.
class RunResources {
 public:
  struct Options {
    std::string run_id;
    std::string folder;      ///< of the run
    Store* store = nullptr;  ///< null: leases are not stored
    const Clock* clock = &Clock::System();
  };

  /// All must outlive this.
  RunResources(const LoadedJob& job, const ResourceKinds& kinds, Options options);

  /// Make a resource: config with all values in their places, lease, Acquire. What fails has been unmade, or `leaked`
  /// says that something may be left for the reaper.
  struct Acquired {
    Status error;
    bool leaked = false;
    Json links;
  };
  Acquired Acquire(const std::string& resource, int attempt, std::stop_token stop,
                   const std::function<void(const Json&)>& report);

  /// End it. Errors: those of the resource; its lease is then left to the reaper.
  Status Release(const std::string& resource, Outcome outcome);

  /// Null when it is not up.
  const Resource* Find(const std::string& resource) const;

 private:
  struct Held {
    std::unique_ptr<Resource> resource;
    std::unique_ptr<LeaseSteps> lease;  // null for what leaves no traces
  };

  Result<Json> ConfigOf(const ResourceDef& def, const std::string& lease) const;
  Acquired AcquireLeased(ResourceKind& kind, AcquireContext& context, Held& held);
  Status Undo(ResourceKind& kind, LeaseSteps& lease, const Status& error);

  const LoadedJob& job_;
  const ResourceKinds& kinds_;
  const Options options_;
  mutable std::mutex mutex_;
  std::map<std::string, Held> held_;  // guarded by mutex_
};

/// How long making and ending a resource may take: `timeout` and `release_timeout` of the job.
Duration AcquireTimeout(const ResourceDef& def);
Duration ReleaseTimeout(const ResourceDef& def);

/// The resources whose facts (${resources.NAME.key}) or names a resource's definition uses, `requires` among them.
std::vector<std::string> ResourcesBefore(const ResourceDef& def, const Json& config, const ResourceKinds& kinds);

}  // namespace mutirao::orchestration
