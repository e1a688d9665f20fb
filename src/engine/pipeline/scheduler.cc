#include "engine/pipeline/scheduler.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

namespace mutirao::engine {

Scheduler::Scheduler(std::vector<Phase*> phases, int workers, std::stop_source stop)
    : phases_(std::move(phases)), workers_(workers), stop_(std::move(stop)), states_(phases_.size()) {
  for (State& state : states_) state.left = workers_;
}

// The first phase, in order, that this worker has not been in and that may run; -1 when it has to wait.
int Scheduler::NextPhase(const std::vector<bool>& visited, bool* all_visited) const {
  *all_visited = true;
  for (size_t i = 0; i < phases_.size(); ++i) {
    if (visited[i]) continue;
    *all_visited = false;
    if (states_[i].start_running) continue;
    const auto& after = phases_[i]->after();
    const bool ready = std::all_of(after.begin(), after.end(), [&](const Phase* phase) {
      const auto at = std::find(phases_.begin(), phases_.end(), phase);
      return states_[static_cast<size_t>(at - phases_.begin())].done;
    });
    if (ready) return static_cast<int>(i);
  }
  return -1;
}

Status Scheduler::Visit(size_t index, int worker, std::unique_lock<std::mutex>& lock) {
  Phase& phase = *phases_[index];
  if (!states_[index].started) {
    states_[index].started = true;
    states_[index].start_running = true;
    lock.unlock();
    Status status = phase.Start(worker);
    lock.lock();
    states_[index].start_running = false;
    changed_.notify_all();
    MUTIRAO_TRY(std::move(status));
  }
  lock.unlock();
  Status status = phase.Run(worker);
  lock.lock();
  MUTIRAO_TRY(std::move(status));
  if (--states_[index].left > 0) return {};
  lock.unlock();
  status = phase.Finish(worker);
  lock.lock();
  MUTIRAO_TRY(std::move(status));
  states_[index].done = true;
  changed_.notify_all();
  return {};
}

void Scheduler::Fail(Status status) {
  if (failure_.ok()) failure_ = std::move(status);
  stop_.request_stop();
  changed_.notify_all();
}

void Scheduler::WorkerLoop(int worker) {
  std::vector<bool> visited(phases_.size());
  std::unique_lock lock(mutex_);
  while (failure_.ok()) {
    bool all_visited = false;
    const int next = NextPhase(visited, &all_visited);
    if (all_visited) break;
    if (next < 0) {
      if (stop_.stop_requested()) {
        Fail(Status::Cancelled("the run was asked to stop"));
        break;
      }
      changed_.wait_for(lock, std::chrono::milliseconds(20));
      continue;
    }
    visited[static_cast<size_t>(next)] = true;
    Status status;
    try {
      status = Visit(static_cast<size_t>(next), worker, lock);
    } catch (const std::bad_alloc&) {
      status = Status::Exhausted("out of memory");
    } catch (const std::exception& error) {
      status = Status::Internal(error.what());
    }
    if (!lock.owns_lock()) lock.lock();
    if (!status.ok()) Fail(std::move(status));
  }
  --running_;
  changed_.notify_all();
}

void Scheduler::TickLoop(const std::function<void()>& tick) {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::milliseconds(100), [&] { return running_ == 0; })) {
    lock.unlock();
    Status status;
    try {
      tick();
    } catch (const std::exception& error) {
      status = Status::Internal(error.what());
    }
    lock.lock();
    if (!status.ok()) return Fail(std::move(status));
  }
}

Status Scheduler::Run(const std::function<void()>& tick) {
  running_ = workers_;
  std::vector<std::jthread> threads;
  for (int worker = 1; worker < workers_; ++worker) {
    threads.emplace_back([this, worker] { WorkerLoop(worker); });
  }
  if (tick) threads.emplace_back([&] { TickLoop(tick); });
  WorkerLoop(0);
  threads.clear();
  return failure_;
}

}  // namespace mutirao::engine
