#include "orchestration/run/run_pulse.h"

#include <condition_variable>
#include <mutex>

#include "base/log.h"

namespace mutirao::orchestration {
namespace {

constexpr std::chrono::milliseconds kLookEvery{700};
constexpr int kLooksToABeat = 5;

}  // namespace

RunPulse::RunPulse(Store& store, const Clock& clock, std::string run_id, std::string claim, RunDriver& driver)
    : store_(store),
      clock_(clock),
      run_id_(std::move(run_id)),
      claim_(std::move(claim)),
      driver_(driver),
      thread_([this](const std::stop_token& stop) { Beat(stop); }) {}

void RunPulse::Beat(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  for (int look = 1;; ++look) {
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, kLookEvery, [] { return false; });
    if (stop.stop_requested()) return;
    if (look % kLooksToABeat == 0) {
      Status beaten = store_.Heartbeat(ThisProcess(), clock_.Now());
      if (!beaten.ok()) LogInfo("the store took no heartbeat: {}", beaten.ToString());
    }
    Look();
  }
}

void RunPulse::Look() {
  Result<RunRow> row = store_.GetRun(run_id_);
  if (!row.ok()) return;
  if (row->claim != claim_) return driver_.LoseClaim();
  if (row->cancel_asked && (!told_cancel_ || (row->cancel_forced && !told_force_))) {
    told_cancel_ = true;
    told_force_ = row->cancel_forced;
    driver_.Cancel("somebody asked the run to stop", row->cancel_forced);
  }
}

}  // namespace mutirao::orchestration
