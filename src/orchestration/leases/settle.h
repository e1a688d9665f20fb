#pragma once

#include <optional>
#include <string>

#include "base/child_process.h"
#include "orchestration/leases/reaper.h"

namespace mutirao::orchestration {

/// What is known of the death of a run's process.
struct Death {
  /// None: nobody saw it end.
  std::optional<ExitState> exit;
  /// "cgroup limit 2 GiB" when the kernel killed for want of memory meanwhile; empty: it did not.
  std::string out_of_memory;
};

/// Bring a run whose worker is dead to its end: take it over, end what its leases stand for, fail what ran with the
/// cause of death, and fail the run, or cancel it when that was asked. Repeatable: dying halfway leaves it to the next.
/// Errors: kCancelled when somebody else settles it or it has ended; those of the store.
Status SettleDeadRun(Store& store, const ResourceKinds& kinds, const Clock& clock, const std::string& run_id,
                     const Death& death);

/// Settle all runs whose worker is gone. Runs that a server took and whose worker has not begun are the servers'
/// business. Gives the ids.
Result<std::vector<std::string>> SettleDeadRuns(Store& store, const ResourceKinds& kinds, const Clock& clock);

}  // namespace mutirao::orchestration
