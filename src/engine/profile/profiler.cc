#include "engine/profile/profiler.h"

#include <algorithm>

namespace mutirao::engine {

Profiler::Profiler(int workers, size_t nodes) : workers_(static_cast<size_t>(workers)) {
  for (Worker& worker : workers_) worker.nanoseconds.assign(nodes, 0);
}

void Profiler::Scope::Enter(int worker_number, int node, ProfileSpan::Doing doing, int64_t rows) {
  Worker& worker = profiler_->workers_[static_cast<size_t>(worker_number)];
  const int64_t now = profiler_->Now();
  if (worker.node >= 0) worker.nanoseconds[static_cast<size_t>(worker.node)] += now - worker.since;
  previous_ = worker.node;
  worker.node = node;
  worker.since = now;
  span_ = {.worker = worker_number, .node = node, .doing = doing, .begin = now, .rows = rows};
}

void Profiler::Scope::Leave() {
  Worker& worker = profiler_->workers_[static_cast<size_t>(span_.worker)];
  const int64_t now = profiler_->Now();
  worker.nanoseconds[static_cast<size_t>(span_.node)] += now - worker.since;
  worker.node = previous_;
  worker.since = now;
  span_.nanoseconds = now - span_.begin;
  Keep(worker, span_);
}

void Profiler::Keep(Worker& worker, const ProfileSpan& span) {
  if (span.nanoseconds < worker.shortest) return;
  worker.spans.push_back(span);
  while (worker.spans.size() > kMostSpans) {
    worker.shortest = std::max<int64_t>(1000, worker.shortest * 2);
    std::erase_if(worker.spans, [&](const ProfileSpan& other) { return other.nanoseconds < worker.shortest; });
  }
}

void Profiler::Sample(const Progress& progress, int64_t memory_held) {
  samples_.push_back({.at = Now(), .progress = progress, .memory_held = memory_held});
  // A long run is seen at a coarser grain.
  if (samples_.size() < kMostSpans) return;
  for (size_t i = 0; i < samples_.size() / 2; ++i) samples_[i] = samples_[2 * i + 1];
  samples_.resize(samples_.size() / 2);
}

int64_t Profiler::NanosecondsIn(size_t node) const {
  int64_t sum = 0;
  for (const Worker& worker : workers_) sum += worker.nanoseconds[node];
  return sum;
}

Profile Profiler::Take() {
  Profile profile{.workers = static_cast<int>(workers_.size()), .samples = std::move(samples_)};
  for (Worker& worker : workers_) {
    profile.spans.insert(profile.spans.end(), worker.spans.begin(), worker.spans.end());
    worker.spans.clear();
  }
  std::stable_sort(profile.spans.begin(), profile.spans.end(),
                   [](const ProfileSpan& a, const ProfileSpan& b) { return a.begin < b.begin; });
  return profile;
}

}  // namespace mutirao::engine
