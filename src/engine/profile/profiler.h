#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "engine/execute.h"

namespace mutirao::engine {

/// Measure which node of a plan each worker works for, and since when.
///
/// A worker is in at most one node at a time: what it does in another one that it calls meanwhile counts for that one.
/// Looks at the clock twice a batch and node, takes no lock, and keeps a bounded number of spans: when there are too
/// many, those that are too short to be seen go.
///
/// Threads: every worker by its own number; the rest when they ended.
class Profiler {
 public:
  Profiler(int workers, size_t nodes);

  /// Being in a node, for as long as this lives. Null profiler, or no node (-1): nothing happens.
  class Scope {
   public:
    Scope(Profiler* profiler, int worker, int node, ProfileSpan::Doing doing, int64_t rows = 0)
        : profiler_(node < 0 ? nullptr : profiler) {
      if (profiler_ != nullptr) Enter(worker, node, doing, rows);
    }
    ~Scope() {
      if (profiler_ != nullptr) Leave();
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    /// For what is known at the end only.
    void SetRows(int64_t rows) { span_.rows = rows; }

   private:
    void Enter(int worker, int node, ProfileSpan::Doing doing, int64_t rows);
    void Leave();

    Profiler* const profiler_;
    ProfileSpan span_;
    int previous_ = -1;
  };

  /// Note how the whole run stands. Threads: one.
  void Sample(const Progress& progress, int64_t memory_held);

  /// Nanoseconds of all workers in a node.
  int64_t NanosecondsIn(size_t node) const;
  /// Take what was measured. REQUIRES: all workers ended.
  Profile Take();

  static constexpr size_t kMostSpans = 50'000;  // of each worker

 private:
  struct alignas(64) Worker {
    int node = -1;
    int64_t since = 0;
    std::vector<int64_t> nanoseconds;  // by node
    std::vector<ProfileSpan> spans;
    int64_t shortest = 0;  // of what is kept
  };

  int64_t Now() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin_).count();
  }
  static void Keep(Worker& worker, const ProfileSpan& span);

  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::vector<Worker> workers_;
  std::vector<ProfileSample> samples_;
};

}  // namespace mutirao::engine
