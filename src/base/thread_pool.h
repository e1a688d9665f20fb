#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include <mutirao/status.h>

namespace mutirao {

/// How many threads this process may run at once: its affinity mask, capped by the cgroup's CPU quota; at least 1.
int AvailableCores();

/// Memory this process may use, in bytes: the machine's, capped by the cgroup's limit.
int64_t AvailableMemory();

/// Memory that this process has now, in bytes; 0 when the system does not say.
int64_t ResidentMemory();

/// Run `body(worker)` for workers 0 … n-1, each on a thread of its own (the caller's is worker 0), and wait for all.
///
/// The first failure asks the others to stop through `stop` and is the result. An exception counts as kInternal.
Status RunWorkers(int n, std::stop_source& stop, const std::function<Status(int worker)>& body);

/// A fixed number of threads that take tasks from one queue.
///
/// Threads: Submit from any. The destructor waits for all submitted tasks.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// REQUIRES: `task` does not throw.
  void Submit(std::function<void()> task);
  /// Wait until the queue is empty and no task runs.
  void Wait();

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable idle_;
  std::deque<std::function<void()>> queue_;  // guarded by mutex_
  int running_ = 0;                          // guarded by mutex_
  bool closing_ = false;                     // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace mutirao
