#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "orchestration/daemon/control_socket.h"
#include "orchestration/daemon/dispatcher.h"
#include "orchestration/daemon/event_feed.h"
#include "orchestration/daemon/folder_lock.h"
#include "orchestration/daemon/metrics_listener.h"
#include "orchestration/daemon/scheduler.h"

namespace mutirao::orchestration {

/// The process that runs a project's jobs by themselves: queue, schedules, hooks, reaper, metrics, retention.
///
/// Everything that matters is in the store, so it may die at any time: the next one goes on. Worker processes outlive
/// it.
class Server {
 public:
  struct Options {
    std::string project_root;
    Environment environment;
    /// Address for Prometheus; empty: what mutirao.yaml says.
    std::string metrics;
    /// The program that workers are started from.
    std::string program;
    std::function<Status(Store&, const RunRow&, const Death&)> settle;
    /// End leases of dead owners that are due; gives how many.
    std::function<Result<int>(Store&)> reap;
    const Clock* clock = &Clock::System();
  };

  /// Take the project's folder, open its store, and begin to work. Ready for calls when it returns.
  /// Errors: kUnavailable when another server holds the folder; kInvalid for settings; those of the store.
  static Result<std::unique_ptr<Server>> Start(Options options);
  /// Takes no more calls and starts nothing; returns when calls and messages on their way are through.
  ~Server();

  /// "SQLite …", and the metrics' address or nothing.
  std::string store() const { return store_->Describe(); }
  std::string metrics_address() const { return metrics_ ? metrics_->address() : std::string(); }
  /// Faults of the project's files, as people read them.
  std::vector<std::string> faults() const { return catalog_->files()->faults; }

  /// Answer a call, whatever carried it.
  Result<Json> Handle(const ControlCall& call);

  EventFeed& feed() { return *feed_; }

 private:
  explicit Server(Options options);
  Status Open();
  void RunScheduler(std::stop_token stop);
  void RunHooks(std::stop_token stop);
  void RunHousekeeping(std::stop_token stop);
  Status PruneOnce();
  // Sleeps until a poke, a stop or the time is over.
  void Sleep(std::chrono::milliseconds time, const std::stop_token& stop);
  void Poke();

  Result<Json> Ping();
  Result<Json> Launch(const Json& params);
  Result<Json> Rerun(const Json& params);
  Result<Json> Cancel(const Json& params);
  Result<Json> Queue();
  Result<Json> Metrics();
  Result<Json> AddAndAnswer(const NewRun& run);

  const Options options_;
  const ProcessIdentity self_ = ThisProcess();
  ServerCounters counters_;
  std::unique_ptr<FolderLock> lock_;
  std::unique_ptr<JobCatalog> catalog_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<EventFeed> feed_;
  std::unique_ptr<MetricsListener> metrics_;
  std::unique_ptr<ControlListener> listener_;
  std::mutex mutex_;
  std::condition_variable_any poked_;
  uint64_t pokes_ = 0;  // guarded by mutex_
  std::vector<std::jthread> threads_;
};

/// Remove the folders of logs of runs that were pruned.
void RemoveRunFolders(const std::string& project_root, const std::vector<std::string>& runs);

}  // namespace mutirao::orchestration
