#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "cluster/dask/driver_command.h"
#include "cluster/dask/driver_link.h"
#include "cluster/plan_progress.h"
#include "engine/stage.h"

namespace mutirao::cluster {

/// A cluster to be made.
struct ClusterSpec {
  /// What the cluster is to be called wherever its provider shows names; carries the run's id.
  std::string name;
  std::string run_id;
  std::string provider;          ///< as job files name it; never "embedded"
  Json config = Json::object();  ///< what the driver's provider is given
  /// Workers to wait for before the cluster counts as started, and for how long.
  int workers = 1;
  std::chrono::duration<double> start_timeout{300};
  double price_per_worker_hour = 0;  ///< 0: not known
  DriverCommand driver;
};

/// Something to tell about a cluster: kinds "starting", "ready", "worker_added", "worker_gone", "worker", "module",
/// "running", "log".
struct ClusterEvent {
  std::string kind;
  std::string text;
  Json data = Json::object();
};

/// A worker as the driver saw it.
struct ClusterWorker {
  std::string address;
  std::string host;
  int slots = 1;
  int64_t memory_limit = 0;
  int64_t task_memory = 0;  ///< bytes that one of its tasks may hold; 0: no limit, or not known
  int64_t pid = 0;
  std::string platform;  ///< "linux-x86_64"
};

/// A plan to be run on a cluster.
struct PlanRequest {
  std::vector<frame::PlanPtr> writes;  ///< optimised; they outlive the call
  engine::Staging staging;             ///< seen by all workers
  /// Unique to this try of the op, and part of the names of files and tasks.
  std::string attempt;
  std::string base_dir;
  Json metadata;
  /// Where tasks put rows that they set aside; empty: such rows are an error.
  std::string quarantine;
  int64_t target_task_bytes = int64_t{64} << 20;
  int partitions = 0;  ///< hash buckets of an exchange; 0: some for each slot
  PlanLimits limits;
  std::stop_token stop;
  std::function<void(const engine::Progress&)> progress;
  std::function<void(const std::string&)> warn;
  /// Told what happens in the cluster meanwhile. Threads: any.
  std::function<void(const ClusterEvent&)> on_event;
};

/// What a plan gave. Nothing of it is published.
struct PlanOutcome {
  engine::StagedResult staged;
  std::vector<Json> set_aside;  ///< members "quarantine" of the accepted results
  /// {"tasks", "attempts_lost", "attempts_copied", "workers": as WorkerAccounts gives them,
  /// "worker_seconds" since the cluster was made, "cost" of them when the price is known}
  Json account;
};

/// A plan while it runs; see plan_run.h.
class PlanRun;
/// A module's op while it runs; see op_run.h.
class OpRun;
/// What gets libraries to the workers; see library_sending.h.
class LibrarySending;
struct ModuleTask;
class TaskListener;

/// A running Dask cluster that runs plans, through a driver process.
///
/// Ownership: destroying it closes the cluster, at most for some seconds, then kills the driver.
/// Threads: Run from any, several at once; `on_event` is called from threads of the cluster and those in Run.
class DaskCluster {
 public:
  struct Hooks {
    std::function<void(const ClusterEvent&)> on_event;
    /// Called with the cluster's handle as soon as it exists, and again with a fuller one. A failure ends the start.
    std::function<Status(const Json& handle)> hold;
  };

  /// Make a cluster and wait for its workers. Errors: what the provider says; kDeadline when the time is over,
  /// kCancelled; kInvalid when a worker has another version. What was made is closed before.
  static Result<std::unique_ptr<DaskCluster>> Start(ClusterSpec spec, Hooks hooks, std::stop_token stop);
  ~DaskCluster();
  DaskCluster(const DaskCluster&) = delete;
  DaskCluster& operator=(const DaskCluster&) = delete;

  /// Run a plan's stages and give the parts they staged. Exchange files live in a folder of the first staging place
  /// and are gone afterwards. Modules whose functions it calls go to every worker once. Blocks.
  /// Errors: the first failure that is not tried again; kCancelled; kInvalid when workers do not see the storage or are
  /// of another platform than a module; kUnavailable when the cluster is gone.
  Result<PlanOutcome> Run(const PlanRequest& request);

  /// Run a task with a library of the user's on one worker, and give its result document. The library goes to every
  /// worker once. Blocks.
  /// Errors: as the task; kInvalid when a worker is of another platform; kUnavailable when its worker died.
  Result<Json> RunModule(const ModuleTask& task);

  /// Close the cluster. Where the driver died before, what it left is ended by name. Errors: kDeadline when the driver
  /// had to be killed; what Reap says. Safe to call twice.
  Status Close(std::chrono::steady_clock::time_point deadline);

  const Json& handle() const { return handle_; }
  std::string dashboard() const;
  std::vector<ClusterWorker> workers() const;
  int slots() const;
  /// Bytes that a task may hold on any worker, as the workers say; 0: not known.
  int64_t task_memory() const;
  /// Seconds that workers have existed, added up.
  double worker_seconds() const;
  /// Seconds that a worker has existed; 0 when it is not there.
  double SecondsOf(const std::string& worker) const;

  /// End what is left of a cluster that another process made. Gives whether there was something.
  static Result<bool> Reap(const ClusterSpec& spec, const Json& handle, std::chrono::steady_clock::time_point deadline);

 private:
  friend class PlanRun;
  friend class OpRun;
  friend class LibrarySending;
  DaskCluster(ClusterSpec spec, Hooks hooks) : spec_(std::move(spec)), hooks_(std::move(hooks)) {}

  Status Begin(std::stop_token stop);
  Status WaitStarted(std::stop_token stop);
  void OnMessage(const Json& message);
  void OnEnd(const Status& why);
  Status TakeWorker(const Json& message);
  void Break(Status why);
  /// REQUIRES: mutex_ is not held.
  void Tell(std::string kind, std::string text, Json data = Json::object()) const;
  int SlotsLocked() const;

  const ClusterSpec spec_;
  const Hooks hooks_;
  Json handle_;  // constant once started

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // Guarded by mutex_.
  std::map<std::string, std::pair<ClusterWorker, std::chrono::steady_clock::time_point>> workers_;
  std::map<std::string, TaskListener*> listeners_;  // by attempt
  std::map<std::string, Json> checks_;              // answers to what was asked of all workers, by token
  std::deque<Json> held_;                           // handles to be stored by the thread in Start
  std::optional<Status> started_;
  std::optional<Status> broken_;
  std::string dashboard_;
  std::string last_log_;
  double gone_seconds_ = 0;
  bool closed_ = false;
  bool greeted_ = false;      // the driver came up
  bool said_closed_ = false;  // it ended as it should, or what it left was ended

  // Last, so that its threads end first.
  std::unique_ptr<DriverLink> link_;
};

}  // namespace mutirao::cluster
