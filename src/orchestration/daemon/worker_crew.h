#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "base/oom_watch.h"
#include "orchestration/leases/settle.h"
#include "orchestration/store/records.h"

namespace mutirao::orchestration {

/// The worker processes of this server's runs: start them, and know when they end.
///
/// Each has a session of its own and goes on when the server ends; the next server adopts it.
/// Threads: one at a time.
class WorkerCrew {
 public:
  struct Options {
    /// The program to start: this one.
    std::string program;
    /// The whole environment as NAME=value.
    std::vector<std::string> environment;
    /// Stands before /proc and /sys where the kernel's count of processes killed for want of memory is read; for tests.
    std::string counters_root;
  };
  explicit WorkerCrew(Options options);
  ~WorkerCrew();
  WorkerCrew(const WorkerCrew&) = delete;
  WorkerCrew& operator=(const WorkerCrew&) = delete;

  /// A worker that ended.
  struct Ended {
    std::string run_id;
    std::string claim;
    /// How it ended: of an adopted one no exit, since the kernel tells it only to its parent.
    Death death;
  };

  /// Start the worker of a claimed run: `PROGRAM run-worker --run ID --claim CLAIM`, in the project's folder, with what
  /// it says in worker.log of the run's folder. Errors: kIo.
  Status Start(const RunRow& run);

  /// Watch the worker of a run that another server started. False when it is not there any more.
  bool Adopt(const RunRow& run);

  /// Wait until a worker ended, `wake` is readable, or the time is over; gives those that ended.
  std::vector<Ended> Wait(int wake, std::chrono::milliseconds timeout);

  bool Has(const std::string& run_id) const { return workers_.contains(run_id); }
  size_t size() const { return workers_.size(); }

 private:
  struct Worker {
    std::string claim;
    int pidfd = -1;
    bool child = false;
  };

  std::string OutOfMemory();
  void WatchMemory();

  Options options_;
  std::map<std::string, Worker> workers_;
  // Two counts, so that the older one is from before the death of a worker that takes its time to die.
  OomWatch memory_;
  OomWatch memory_before_;
  std::chrono::steady_clock::time_point memory_since_;
};

/// Send a signal to a process if it is still the one that is meant. False when it is gone or elsewhere.
bool SignalProcess(const ProcessIdentity& process, int signal);

}  // namespace mutirao::orchestration
