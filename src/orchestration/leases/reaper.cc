#include "orchestration/leases/reaper.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/log.h"

namespace mutirao::orchestration {
namespace {

constexpr std::chrono::minutes kSilence{2};
constexpr std::chrono::seconds kFirstPause{10};
constexpr std::chrono::seconds kLongestPause{3600};

bool IsOurs(const Lease& lease) {
  return lease.owner == ThisProcess();
}

// Ours are those that we took over and could not end yet; the leases of our own runs were never tried.
bool MayReap(const Lease& lease, WallTime now, const ReapOptions& options) {
  if (!options.run_id.empty() && lease.run_id != options.run_id) return false;
  if (lease.next_reap && *lease.next_reap > now && !options.now_all) return false;
  return IsOurs(lease) ? lease.reap_attempts > 0 : IsGone(lease.owner, lease.heartbeat, now);
}

void TellRun(Store& store, const Lease& lease, WallTime now) {
  if (lease.run_id.empty()) return;
  Result<RunRow> run = store.GetRun(lease.run_id);
  if (!run.ok()) return;
  Event event{.time = now, .type = std::string(event::kResourceReaped)};
  event.data = {{"resource", lease.resource}, {"lease", lease.name}, {"by", ThisProcess().ToJson()}};
  Result<int64_t> written = store.Write({.run_id = lease.run_id, .claim = run->claim, .events = {std::move(event)}});
  if (!written.ok()) LogInfo("run {} was not told of a reaped lease: {}", lease.run_id, written.status().ToString());
}

Status End(Store& store, const ResourceKinds& kinds, Lease& lease, WallTime now) {
  ResourceKind* kind = kinds.Find(lease.kind);
  if (kind == nullptr) {
    return Status::Unsupported(fmt::format("this program does not know resources of kind {}", lease.kind));
  }
  CrashPoint("lease.taken");
  MUTIRAO_TRY(kind->Reap(lease));
  CrashPoint("lease.reaped");
  lease.state = LeaseState::kClosed;
  lease.changed = now;
  lease.error.clear();
  lease.next_reap.reset();
  MUTIRAO_TRY(store.UpdateLease(lease));
  TellRun(store, lease, now);
  return Status::Ok();
}

void Postpone(Store& store, Lease& lease, const Status& error, WallTime now) {
  ++lease.reap_attempts;
  const int doublings = std::min(lease.reap_attempts - 1, 12);
  lease.next_reap = now + std::min<std::chrono::seconds>(kFirstPause * (1 << doublings), kLongestPause);
  lease.error = Redactor::Global().Mask(error.ToString());
  lease.changed = now;
  Status stored = store.UpdateLease(lease);
  if (!stored.ok()) LogWarning("lease {}: {}", lease.name, stored.ToString());
}

}  // namespace

bool IsGone(const ProcessIdentity& process, std::optional<WallTime> heartbeat, WallTime now) {
  switch (LookFor(process)) {
    case Liveness::kAlive:
      return false;
    case Liveness::kDead:
      return true;
    case Liveness::kElsewhere:
      return !heartbeat || now - *heartbeat > kSilence;
  }
  return false;
}

Result<std::vector<Reaped>> ReapDeadLeases(Store& store, const ResourceKinds& kinds, const Clock& clock,
                                           const ReapOptions& options) {
  std::vector<Lease> open = MUTIRAO_TRY(store.ListLeases(true, options.run_id));
  std::vector<Reaped> all;
  for (const Lease& seen : open) {
    const WallTime now = clock.Now();
    if (!MayReap(seen, now, options)) continue;
    std::optional<Lease> lease = seen;
    if (!IsOurs(seen)) {
      Result<std::optional<Lease>> taken = store.TakeLease(seen.name, seen.owner, ThisProcess(), now);
      if (!taken.ok()) {
        all.push_back({seen, taken.status()});
        continue;
      }
      lease = std::move(*taken);
    }
    if (!lease) continue;  // somebody was quicker
    Reaped reaped{.lease = std::move(*lease)};
    reaped.error = End(store, kinds, reaped.lease, now);
    if (!reaped.error.ok()) Postpone(store, reaped.lease, reaped.error, now);
    all.push_back(std::move(reaped));
  }
  return all;
}

}  // namespace mutirao::orchestration
