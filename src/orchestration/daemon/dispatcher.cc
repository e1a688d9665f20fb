#include "orchestration/daemon/dispatcher.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/log.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookAtStore{2000};
constexpr seconds kLookAfterRuns{10};
constexpr seconds kForcedGrace{10};
// Of a worker elsewhere: it says that it lives every few seconds.
constexpr seconds kLongestSilence{60};
// The one that started a worker knows how it died and is given the time to say so.
constexpr seconds kParentFirst{1};

const std::vector<RunState> kActive{RunState::kStarting, RunState::kRunning, RunState::kCancelling};

}  // namespace

Dispatcher::Dispatcher(Store& store, const Clock& clock, const JobCatalog& catalog, ServerCounters& counters,
                       Options options)
    : store_(store),
      clock_(clock),
      catalog_(catalog),
      counters_(counters),
      options_(std::move(options)),
      crew_(options_.crew),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Dispatcher::~Dispatcher() {
  close(wake_);
}

void Dispatcher::Poke() {
  eventfd_write(wake_, 1);
}

void Dispatcher::Run(std::stop_token stop) {
  auto look_after = steady_clock::now();
  while (!stop.stop_requested()) {
    if (steady_clock::now() >= look_after) {
      look_after = steady_clock::now() + kLookAfterRuns;
      Note(LookAfterRuns());
    }
    Note(ClaimAll());
    counters_.workers = static_cast<int>(crew_.size());
    const milliseconds wait = deaths_.empty() && forced_since_.empty() ? kLookAtStore : milliseconds(300);
    const std::vector<WorkerCrew::Ended> ended = crew_.Wait(wake_, wait);
    eventfd_t pokes = 0;
    eventfd_read(wake_, &pokes);
    for (const WorkerCrew::Ended& one : ended) {
      deaths_.push_back({one, steady_clock::now() + (one.death.exit ? seconds(0) : kParentFirst)});
    }
    SettleDeaths();
    if (!forced_since_.empty() || pokes > 0) Note(LookAfterRuns());
  }
}

// Reading costs less than taking the lock that a claim needs.
Result<bool> Dispatcher::AnyQueued() {
  const std::vector<RunRow> queued = MUTIRAO_TRY(store_.ListRuns({.states = {RunState::kQueued}, .limit = 1}));
  return !queued.empty();
}

Status Dispatcher::ClaimAll() {
  if (!MUTIRAO_TRY(AnyQueued())) return Status::Ok();
  const QueueLimits limits = catalog_.files()->instance.queue;
  while (true) {
    const std::optional<RunRow> run = MUTIRAO_TRY(store_.ClaimNextRun(options_.self, limits, clock_.Now()));
    if (!run) return Status::Ok();
    CrashPoint("queue.claimed");
    Launch(*run);
  }
}

void Dispatcher::Launch(const RunRow& run) {
  const Status started = crew_.Start(run);
  CrashPoint("queue.started");
  if (started.ok()) {
    ++counters_.workers_started;
    return;
  }
  LogWarning("run {}: {}", run.spec.id, started.ToString());
  Note(options_.settle(run, {}));
}

void Dispatcher::SettleDeaths() {
  const auto now = steady_clock::now();
  std::vector<DeadWorker> later;
  for (DeadWorker& death : deaths_) {
    if (death.due > now) {
      later.push_back(std::move(death));
      continue;
    }
    Status settled = [&]() -> Status {
      const RunRow run = MUTIRAO_TRY(store_.GetRun(death.ended.run_id));
      if (IsFinal(run.state) || run.claim != death.ended.claim) return Status::Ok();
      ++counters_.workers_died;
      return options_.settle(run, death.ended.death);
    }();
    // kCancelled: another process was quicker.
    if (settled.ok() || settled.code() == StatusCode::kCancelled || settled.code() == StatusCode::kNotFound) continue;
    Note(settled);
    death.due = now + seconds(1);
    later.push_back(std::move(death));
  }
  deaths_ = std::move(later);
}

Status Dispatcher::LookAfterRuns() {
  const std::vector<RunRow> runs = MUTIRAO_TRY(store_.ListRuns({.states = kActive, .limit = 100000}));
  std::set<std::string> active;
  for (const RunRow& run : runs) {
    active.insert(run.spec.id);
    const Status status = LookAfter(run);
    if (!status.ok() && status.code() != StatusCode::kCancelled) Note(status);
  }
  std::erase_if(forced_since_, [&](const auto& entry) { return !active.contains(entry.first); });
  return Status::Ok();
}

Status Dispatcher::LookAfter(const RunRow& run) {
  if (run.cancel_forced) EnforceCancel(run);
  if (crew_.Has(run.spec.id) || crew_.Adopt(run)) return Status::Ok();
  const bool dying = std::any_of(deaths_.begin(), deaths_.end(),
                                 [&](const DeadWorker& death) { return death.ended.run_id == run.spec.id; });
  if (dying) return Status::Ok();
  if (!run.worker) return StartAgain(run);
  switch (LookFor(*run.worker)) {
    case Liveness::kAlive:
      return Status::Ok();
    case Liveness::kDead:
      // Found dead: whoever started it may be about to tell how it died.
      deaths_.push_back({{.run_id = run.spec.id, .claim = run.claim}, steady_clock::now() + kParentFirst});
      return Status::Ok();
    case Liveness::kElsewhere:
      if (!run.heartbeat || clock_.Now() - *run.heartbeat < kLongestSilence) return Status::Ok();
      return options_.settle(run, {});
  }
  return Status::Ok();
}

// A run that was claimed and has no worker yet. When its server is gone, so may the worker be that it was about to
// start; a new claim keeps a late one from beginning.
Status Dispatcher::StartAgain(const RunRow& run) {
  if (!run.server) return Status::Ok();
  const bool own = *run.server == options_.self;
  if (!own && LookFor(*run.server) != Liveness::kDead) return Status::Ok();
  // One of `mutirao run` belongs to whoever typed that.
  const bool local = run.spec.request.is_object() && run.spec.request.value("local", Json()) == Json(true);
  if (local || run.state != RunState::kStarting) return options_.settle(run, {});
  const RunRow taken = MUTIRAO_TRY(store_.TakeOver(run, options_.self));
  if (taken.state == RunState::kStarting) Launch(taken);
  return Status::Ok();
}

// A worker that does not end although it was told to, twice.
void Dispatcher::EnforceCancel(const RunRow& run) {
  const auto [at, is_new] = forced_since_.emplace(run.spec.id, steady_clock::now());
  if (is_new || !run.worker || steady_clock::now() - at->second < kForcedGrace) return;
  LogWarning("run {}: its worker does not end, so it is killed", run.spec.id);
  SignalProcess(*run.worker, SIGKILL);
}

void Dispatcher::Note(const Status& status) {
  if (!status.ok()) {
    ++counters_.store_errors;
    if (!failing_) LogWarning("queue: {}", status.ToString());
  } else if (failing_) {
    LogWarning("queue: works again");
  }
  failing_ = !status.ok();
}

}  // namespace mutirao::orchestration
