#pragma once

#include "orchestration/store/store.h"

namespace mutirao::orchestration {

/// Take one lease through its five steps, with a named crash point behind each: lease.intent, lease.acquired,
/// lease.held, lease.releasing, lease.released, lease.closed. docs/design/leases.md says who undoes what after each.
///
/// Threads: one at a time.
class LeaseSteps {
 public:
  /// Step 1: store that something of this name may come to exist. `store` null: nothing is stored at any step.
  /// `lease.name`, `kind`, `run_id`, `resource` and `intent` must be set. Errors: those of Store::AddLease.
  static Result<LeaseSteps> Intend(Store* store, Lease lease, const Clock& clock);

  const Lease& lease() const { return lease_; }

  /// Step 3: store what was acquired (step 2). May be called again with a fuller handle.
  Status Hold(const Json& handle);
  /// Step 4 begins: what exists is about to be ended.
  Status Releasing();
  /// Step 5: it is known to be gone.
  Status Close();
  /// Leave it open for the reaper, with the reason.
  Status Leave(const Status& error);

 private:
  LeaseSteps(Store* store, Lease lease, const Clock* clock) : store_(store), lease_(std::move(lease)), clock_(clock) {}
  Status Put();

  Store* store_;
  Lease lease_;
  const Clock* clock_;
};

}  // namespace mutirao::orchestration
