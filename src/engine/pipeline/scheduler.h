#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <vector>

#include "engine/pipeline/phase.h"

namespace mutirao::engine {

/// Run phases with a fixed number of threads, each phase after those it names.
///
/// Every worker visits every phase; one that finds no more work in a phase goes on to the next that may start, so
/// pipelines that do not depend on each other overlap where one has too little work for all.
///
/// Threads: Run blocks; makes and joins its own threads. The calling thread is the first worker: what one that runs task
/// after task frees is there for the next.
/// Errors: the first failure of any worker; it stops the others through `stop`.
class Scheduler {
 public:
  /// REQUIRES: a phase stands behind those it is after.
  Scheduler(std::vector<Phase*> phases, int workers, std::stop_source stop);

  /// `tick` is called about ten times a second, by one thread that is none of the workers'.
  Status Run(const std::function<void()>& tick);

 private:
  struct State {
    bool started = false;
    bool start_running = false;
    int left = 0;
    bool done = false;
  };
  void WorkerLoop(int worker);
  void TickLoop(const std::function<void()>& tick);
  int NextPhase(const std::vector<bool>& visited, bool* all_visited) const;
  Status Visit(size_t index, int worker, std::unique_lock<std::mutex>& lock);
  void Fail(Status status);

  const std::vector<Phase*> phases_;
  const int workers_;
  std::stop_source stop_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<State> states_;
  int running_ = 0;
  Status failure_;
};

}  // namespace mutirao::engine
