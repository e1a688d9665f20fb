#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/memory/spill_file.h"
#include "engine/pipeline/run_context.h"

namespace mutirao::engine {

/// A piece of what a breaker kept, cut by the hash: some of its radix parts in memory, or rows that were set aside.
struct DrainTask {
  /// Bits of the hash that all its rows share: kRadixBits for each level. 0 for the parts in memory.
  int level = 0;
  /// Of level 0: the parts [first_part, end_part).
  int first_part = 0;
  int end_part = 0;
  std::vector<SpillBlock> blocks;
  /// Ascends in the order in which tasks are taken.
  int64_t number = 0;
};

/// Give the pieces of a breaker to workers; one that does not fit into memory leaves smaller ones behind.
///
/// Threads: any. Each task that was taken is said to be Done.
class DrainQueue {
 public:
  void Add(DrainTask task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    changed_.notify_one();
  }

  /// Take the next task; none when there is none and none can come any more. Waits while others may leave some.
  Result<std::optional<DrainTask>> Take(const RunContext& run) {
    std::unique_lock lock(mutex_);
    while (tasks_.empty() && open_ > 0) {
      MUTIRAO_TRY(run.CheckStop());
      changed_.wait_for(lock, std::chrono::milliseconds(20));
    }
    if (tasks_.empty()) return std::optional<DrainTask>();
    std::optional<DrainTask> task(std::move(tasks_.front()));
    tasks_.pop_front();
    ++open_;
    task->number = next_number_++;
    return task;
  }

  void Done() {
    const std::lock_guard lock(mutex_);
    --open_;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<DrainTask> tasks_;
  int open_ = 0;
  int64_t next_number_ = 0;
};

}  // namespace mutirao::engine
