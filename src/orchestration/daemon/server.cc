#include "orchestration/daemon/server.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/id.h"
#include "base/log.h"
#include "orchestration/hooks/deliver.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// Files are looked at this often, and the clock, which may jump.
constexpr milliseconds kLook{2000};
constexpr milliseconds kRenewTerm{5000};
constexpr milliseconds kHooks{2000};
constexpr milliseconds kHousekeeping{5000};
constexpr std::chrono::hours kPrune{1};

// Tells the first of a row of failures, and that it is over.
class Complaint {
 public:
  Complaint(const char* who, ServerCounters& counters) : who_(who), counters_(counters) {}
  void Note(const Status& status) {
    if (!status.ok()) {
      ++counters_.store_errors;
      if (status.ToString() != last_) LogWarning("{}: {}", who_, status.ToString());
    } else if (!last_.empty()) {
      LogWarning("{}: works again", who_);
    }
    last_ = status.ok() ? std::string() : status.ToString();
  }

 private:
  const char* who_;
  ServerCounters& counters_;
  std::string last_;
};

double SecondsSince1970(WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

Server::Server(Options options) : options_(std::move(options)) {}

Result<std::unique_ptr<Server>> Server::Start(Options options) {
  std::unique_ptr<Server> server(new Server(std::move(options)));
  MUTIRAO_TRY(server->Open());
  return server;
}

Status Server::Open() {
  const std::string folder = StateFolder(options_.project_root);
  FolderLock lock = MUTIRAO_TRY(FolderLock::Take(folder));
  lock_ = std::make_unique<FolderLock>(std::move(lock));
  catalog_ = std::make_unique<JobCatalog>(options_.project_root, options_.environment);
  catalog_->Refresh();
  const auto files = catalog_->files();
  for (const std::string& fault : files->faults) {
    // Without settings it is not known where to work.
    if (fault.starts_with("mutirao.yaml: ")) return Status::Invalid(fault);
  }
  const StoreLocation location = files->instance.store;
  store_ = MUTIRAO_TRY(OpenStore(location, *options_.clock));
  feed_ = std::make_unique<EventFeed>(*store_);
  scheduler_ = std::make_unique<Scheduler>(*store_, *options_.clock, self_, options_.project_root);
  counters_.started = SecondsSince1970(options_.clock->Now());
  const std::string uri = location.uri;
  dispatcher_ = std::make_unique<Dispatcher>(
      *store_, *options_.clock, *catalog_, counters_,
      Dispatcher::Options{
          .crew = {.program = options_.program, .environment = options_.environment.ToBlock({{"MUTIRAO_STORE", uri}})},
          .self = self_,
          .settle = [this](const RunRow& run, const Death& death) { return options_.settle(*store_, run, death); }});
  const std::string metrics = options_.metrics.empty() ? files->instance.metrics : options_.metrics;
  if (!metrics.empty()) {
    metrics_ = MUTIRAO_TRY(MetricsListener::Start(metrics, [this] {
      Result<Json> text = Metrics();
      return text.ok() ? text->value("text", "") : "# " + text.status().ToString() + "\n";
    }));
  }
  listener_ = MUTIRAO_TRY(ControlListener::Start(folder, [this](const ControlCall& call) { return Handle(call); }));
  threads_.emplace_back([this](std::stop_token stop) { RunScheduler(std::move(stop)); });
  threads_.emplace_back([this](std::stop_token stop) { dispatcher_->Run(std::move(stop)); });
  threads_.emplace_back([this](std::stop_token stop) { RunHooks(std::move(stop)); });
  threads_.emplace_back([this](std::stop_token stop) { RunHousekeeping(std::move(stop)); });
  return Status::Ok();
}

Server::~Server() {
  listener_.reset();
  metrics_.reset();
  for (std::jthread& thread : threads_) thread.request_stop();
  if (dispatcher_) dispatcher_->Poke();
  Poke();
  threads_.clear();
  if (scheduler_) (void)scheduler_->StepDown();
}

void Server::Sleep(milliseconds time, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const uint64_t seen = pokes_;
  poked_.wait_for(lock, stop, time, [&] { return pokes_ != seen; });
}

void Server::Poke() {
  {
    const std::lock_guard lock(mutex_);
    ++pokes_;
  }
  poked_.notify_all();
}

void Server::RunScheduler(std::stop_token stop) {
  Complaint complaint("schedules", counters_);
  auto renew = steady_clock::now();
  std::optional<WallTime> next;
  while (!stop.stop_requested()) {
    const bool changed = catalog_->Refresh();
    if (changed) {
      for (const std::string& fault : catalog_->files()->faults) LogWarning("{}", fault);
    }
    const WallTime now = options_.clock->Now();
    if (changed || steady_clock::now() >= renew || (next && *next <= now)) {
      renew = steady_clock::now() + kRenewTerm;
      Result<Scheduler::Step> step = scheduler_->Look(*catalog_->files());
      complaint.Note(step.ok() || step.status().code() == StatusCode::kCancelled ? Status::Ok() : step.status());
      counters_.leads = scheduler_->leads();
      counters_.scheduler_looked = SecondsSince1970(now);
      if (step.ok()) {
        next = step->next;
        counters_.ticks_launched += step->launched;
        counters_.ticks_skipped += step->skipped;
        if (step->launched > 0) dispatcher_->Poke();
      }
    }
    milliseconds wait = kLook;
    if (next) {
      const auto until = std::chrono::duration_cast<milliseconds>(*next - options_.clock->Now()) + milliseconds(1);
      wait = std::clamp(until, milliseconds(1), kLook);
    }
    Sleep(wait, stop);
  }
}

void Server::RunHooks(std::stop_token stop) {
  Complaint complaint("hooks", counters_);
  while (!stop.stop_requested()) {
    Result<Delivery> delivery = DeliverDue(*store_, *options_.clock, catalog_->files()->environment, stop);
    complaint.Note(delivery.status());
    if (delivery.ok()) {
      counters_.hooks_sent += delivery->sent;
      counters_.hooks_failed += delivery->failed;
      counters_.hooks_given_up += delivery->given_up;
    }
    Sleep(kHooks, stop);
  }
}

void Server::RunHousekeeping(std::stop_token stop) {
  Complaint complaint("housekeeping", counters_);
  auto prune = steady_clock::now();
  while (!stop.stop_requested()) {
    Result<int> reaped = options_.reap(*store_);
    if (reaped.ok()) counters_.leases_reaped += *reaped;
    Status status = reaped.ok() ? Status::Ok() : reaped.status();
    if (status.ok() && steady_clock::now() >= prune) {
      prune = steady_clock::now() + kPrune;
      status = PruneOnce();
    }
    complaint.Note(status);
    Sleep(kHousekeeping, stop);
  }
}

Status Server::PruneOnce() {
  const PruneResult pruned =
      MUTIRAO_TRY(store_->Prune(catalog_->files()->instance.retention, options_.clock->Now(), false));
  RemoveRunFolders(options_.project_root, pruned.runs);
  if (!pruned.runs.empty()) LogInfo("retention: {} runs went", pruned.runs.size());
  return Status::Ok();
}

void RemoveRunFolders(const std::string& project_root, const std::vector<std::string>& runs) {
  for (const std::string& run : runs) {
    std::error_code ignored;
    if (IsRunId(run)) std::filesystem::remove_all(RunFolder(project_root, run), ignored);
  }
}

}  // namespace mutirao::orchestration
