#pragma once

#include "orchestration/resource/resource_kind.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

/// Say whether a process is gone for good: dead here, or on another machine and silent for two minutes.
bool IsGone(const ProcessIdentity& process, std::optional<WallTime> heartbeat, WallTime now);

/// What became of a lease.
struct Reaped {
  Lease lease;
  /// OK when what it stood for is known to be gone; else why not, and `lease.next_reap` says when to try again.
  Status error;
};

struct ReapOptions {
  /// Only those of this run; empty: all.
  std::string run_id;
  /// Also those whose next try is not due yet: somebody asked for it.
  bool now_all = false;
};

/// End what owners that are gone have left, by handle or by name, and close the leases. What failed is tried again
/// later, each time after a longer pause up to an hour. Leases of living owners are never touched. Runs get an event
/// resource.reaped.
/// Errors: those of listing; one of a single lease stands in its result.
Result<std::vector<Reaped>> ReapDeadLeases(Store& store, const ResourceKinds& kinds, const Clock& clock,
                                           const ReapOptions& options = {});

}  // namespace mutirao::orchestration
