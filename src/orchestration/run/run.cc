#include "orchestration/run/run.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "orchestration/definition/op_graph.h"
#include "orchestration/run/retry_delay.h"

namespace mutirao::orchestration {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

double SecondsSince(SteadyTime start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Waits, or returns early when asked to stop. Says whether the time passed.
bool SleepFor(Duration delay, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, delay, [] { return false; });
  return !stop.stop_requested();
}

// Stops an attempt when the run is asked to stop or its time is over.
class AttemptStop {
 public:
  AttemptStop(const std::stop_token& run, std::optional<Duration> timeout)
      : on_run_stop_(run, [this] { source_.request_stop(); }) {
    if (!timeout) return;
    watch_ = std::jthread([this, timeout = *timeout](const std::stop_token& done) {
      if (!SleepFor(timeout, done)) return;
      timed_out_ = true;
      source_.request_stop();
    });
  }
  std::stop_token token() const { return source_.get_token(); }
  bool timed_out() const { return timed_out_; }

 private:
  std::stop_source source_;
  std::atomic<bool> timed_out_{false};
  std::stop_callback<std::function<void()>> on_run_stop_;
  std::jthread watch_;
};

bool MayGoBetter(const Status& error) {
  switch (error.code()) {
    case StatusCode::kInvalid:
    case StatusCode::kUnsupported:
    case StatusCode::kAlreadyExists:
    case StatusCode::kInternal:
    case StatusCode::kCancelled:
      return false;
    default:
      return true;
  }
}

class Runner {
 public:
  Runner(const JobDef& job, const std::set<std::string>& selected, OpExecutor& executor, const RunOptions& options)
      : job_(job), selected_(selected), executor_(executor), options_(options), random_(options.seed) {}

  RunRecord Run() {
    run_.run_id = options_.run_id;
    run_.started = options_.clock->Now();
    SteadyTime start = std::chrono::steady_clock::now();
    for (const OpDef* op : InOrder(job_)) {
      OpRecord record{.op = op->name};
      Settle(*op, record);
      if (options_.observer) options_.observer->OpEnded(*op, record);
      run_.ops.push_back(std::move(record));
    }
    run_.ended = options_.clock->Now();
    run_.seconds = SecondsSince(start);
    for (const OpRecord& record : run_.ops) {
      if (record.state == OpState::kFailed && run_.state == RunState::kSucceeded) run_.state = RunState::kFailed;
      if (record.state == OpState::kCancelled) run_.state = RunState::kCancelled;
    }
    return std::move(run_);
  }

 private:
  void Settle(const OpDef& op, OpRecord& record) {
    if (!selected_.contains(op.name)) {
      record.state = OpState::kSkipped;
      return;
    }
    if (options_.stop.stop_requested()) {
      record.state = OpState::kCancelled;
      return;
    }
    for (const OpRecord& before : run_.ops) {
      bool stands_in_the_way = before.state == OpState::kFailed && Ancestors(job_, op.name).contains(before.op);
      if (!stands_in_the_way) continue;
      record.state = OpState::kBlocked;
      record.blocked_by = before.op;
      return;
    }
    SteadyTime start = std::chrono::steady_clock::now();
    TryUntilDone(op, record);
    record.seconds = SecondsSince(start);
  }

  void TryUntilDone(const OpDef& op, OpRecord& record) {
    std::uniform_real_distribution<double> uniform(0, 1);
    while (true) {
      record.state = OpState::kRunning;
      ++record.attempts;
      if (options_.observer) options_.observer->OpStarted(op, record.attempts);
      Json outcome;
      record.error = TryOnce(op, record.attempts, outcome);
      if (!outcome.is_null()) record.outcome = std::move(outcome);
      if (record.error.ok()) {
        record.state = OpState::kSucceeded;
        return;
      }
      if (options_.stop.stop_requested()) {
        record.state = OpState::kCancelled;
        return;
      }
      record.state = OpState::kFailed;
      if (record.attempts > op.retry.max || !MayGoBetter(record.error)) return;
      record.state = OpState::kUpForRetry;
      Duration delay = RetryDelay(op.retry, record.attempts, uniform(random_));
      if (options_.observer) options_.observer->OpWillRetry(op, record.error, record.attempts, delay);
      if (!SleepFor(delay, options_.stop)) {
        record.state = OpState::kCancelled;
        return;
      }
    }
  }

  Status TryOnce(const OpDef& op, int number, Json& outcome) {
    AttemptStop stop(options_.stop, op.timeout);
    OpAttempt attempt{.run_id = options_.run_id, .number = number, .run_started = run_.started, .stop = stop.token()};
    Status done = executor_.Execute(op, attempt, outcome);
    bool over_time = !done.ok() && stop.timed_out() && !options_.stop.stop_requested();
    if (!over_time) return done;
    return Status::Deadline(fmt::format("it took longer than its timeout of {}",
                                        FormatDuration(std::chrono::duration<double>(*op.timeout))))
        .Help("raise timeout: of the op, or find out what it waits for");
  }

  const JobDef& job_;
  const std::set<std::string>& selected_;
  OpExecutor& executor_;
  const RunOptions& options_;
  std::mt19937_64 random_;
  RunRecord run_;
};

}  // namespace

RunRecord RunJob(const JobDef& job, const std::set<std::string>& selected, OpExecutor& executor,
                 const RunOptions& options) {
  return Runner(job, selected, executor, options).Run();
}

}  // namespace mutirao::orchestration
