#include "orchestration/leases/lease_steps.h"

#include <thread>

#include "base/crash_point.h"
#include "base/log.h"

namespace mutirao::orchestration {
namespace {

constexpr int kTries = 5;

}  // namespace

Result<LeaseSteps> LeaseSteps::Intend(Store* store, Lease lease, const Clock& clock) {
  lease.owner = ThisProcess();
  lease.state = LeaseState::kIntent;
  lease.created = lease.changed = lease.heartbeat = clock.Now();
  if (store != nullptr) MUTIRAO_TRY(store->AddLease(lease));
  CrashPoint("lease.intent");
  return LeaseSteps(store, std::move(lease), &clock);
}

Status LeaseSteps::Hold(const Json& handle) {
  CrashPoint("lease.acquired");
  lease_.state = LeaseState::kHeld;
  lease_.handle = handle;
  MUTIRAO_TRY(Put());
  CrashPoint("lease.held");
  return Status::Ok();
}

Status LeaseSteps::Releasing() {
  lease_.state = LeaseState::kReleasing;
  MUTIRAO_TRY(Put());
  CrashPoint("lease.releasing");
  return Status::Ok();
}

Status LeaseSteps::Close() {
  CrashPoint("lease.released");
  lease_.state = LeaseState::kClosed;
  MUTIRAO_TRY(Put());
  CrashPoint("lease.closed");
  return Status::Ok();
}

Status LeaseSteps::Leave(const Status& error) {
  lease_.error = Redactor::Global().Mask(error.ToString());
  return Put();
}

Status LeaseSteps::Put() {
  if (store_ == nullptr) return Status::Ok();
  lease_.changed = clock_->Now();
  Status status;
  for (int i = 0; i < kTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100 << i));
    status = store_->UpdateLease(lease_);
    bool may_pass = status.code() == StatusCode::kUnavailable || status.code() == StatusCode::kExhausted ||
                    status.code() == StatusCode::kIo;
    if (!may_pass) break;
  }
  return status;
}

}  // namespace mutirao::orchestration
