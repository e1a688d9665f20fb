#include "orchestration/run/run_driver.h"

#include <fmt/format.h>

#include "orchestration/definition/op_graph.h"

namespace mutirao::orchestration {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Events that change no state wait this long at most before they are stored.
constexpr milliseconds kNotesEvery{250};
// A resource may take this much longer than it was allowed before it is given up.
constexpr std::chrono::seconds kTolerance{15};

std::string KeyOf(const std::string& what, const std::string& name, int attempt) {
  return fmt::format("{} {} {}", what, name, attempt);
}

Status TooLong(const OpDef& op) {
  return Status::Deadline(fmt::format("it took longer than its timeout of {}",
                                      FormatDuration(std::chrono::duration<double>(*op.timeout))))
      .Help("raise timeout: of the op, or find out what it waits for");
}

}  // namespace

RunDriver::RunDriver(const JobDef& job, RunPlan plan, OpExecutor& executor, RunResources* resources,
                     RunJournal* journal, Options options)
    : job_(job),
      machine_(std::move(plan), options.seed),
      executor_(executor),
      resources_(resources),
      journal_(journal),
      options_(std::move(options)),
      started_(options_.clock->Now()) {}

RunDriver::~RunDriver() {
  Join();
}

void RunDriver::Cancel(std::string reason, bool force) {
  Post(stimulus::CancelAsked{std::move(reason), force});
}

void RunDriver::LoseClaim() {
  Post(stimulus::ClaimLost{});
}

RunRecord RunDriver::Run() {
  Take(stimulus::Begin{});
  while (!machine_.finished()) {
    if (std::optional<Stimulus> next = Next()) Take(*next);
    LookForDeafOps();
    if (forced_at_ && options_.on_stuck && Steady::now() > *forced_at_ + options_.stuck_after) options_.on_stuck();
  }
  Join();
  return Sum();
}

void RunDriver::LookForDeafOps() {
  if (!options_.on_stuck) return;
  for (auto& [key, attempt] : attempts_) {
    if (!attempt.told_to_stop || attempt.ended || Steady::now() < *attempt.told_to_stop + options_.deaf_after) continue;
    attempt.told_to_stop.reset();
    Emit(attempt.op, attempt.number, event::kOpWarning,
         {{"message", "it goes on although its timeout is over, so the run's process is ended"}});
    std::vector<Event> none;
    [[maybe_unused]] Status stored = Store(none);
    options_.on_stuck();
  }
}

void RunDriver::Post(Stimulus stimulus) {
  std::lock_guard lock(mutex_);
  inbox_.push_back(std::move(stimulus));
  wake_.notify_all();
}

void RunDriver::PostAfter(Duration delay, Stimulus stimulus) {
  std::lock_guard lock(mutex_);
  timers_.push({Steady::now() + delay, std::move(stimulus), nullptr});
  wake_.notify_all();
}

// What happened next; none when it is time to look around.
std::optional<Stimulus> RunDriver::Next() {
  std::unique_lock lock(mutex_);
  Time until = Steady::now() + (forced_at_ ? milliseconds(100) : kNotesEvery);
  if (!timers_.empty()) until = std::min(until, timers_.top().due);
  wake_.wait_until(lock, until, [&] { return !inbox_.empty(); });
  if (inbox_.empty()) TakeDueTimer();
  if (!inbox_.empty()) {
    Stimulus next = std::move(inbox_.front());
    inbox_.pop_front();
    return next;
  }
  lock.unlock();
  if (journal_ != nullptr && journal_->has_notes()) {
    std::vector<Event> none;
    Status stored = Store(none);
    if (!stored.ok())
      Take(stored.code() == StatusCode::kCancelled
               ? Stimulus(stimulus::ClaimLost{})
               : Stimulus(stimulus::CancelAsked{"the store cannot be written", false}));
  }
  return std::nullopt;
}

void RunDriver::TakeDueTimer() {
  if (timers_.empty() || timers_.top().due > Steady::now()) return;
  const Timer timer = timers_.top();
  timers_.pop();
  if (timer.gives_up != nullptr) {
    if (timer.gives_up->done) return;
    timer.gives_up->given_up = true;
  }
  inbox_.push_back(timer.stimulus);
}

void RunDriver::Take(const Stimulus& stimulus) {
  const double now = std::chrono::duration<double>(Steady::now() - begun_).count();
  if (const auto* cancel = std::get_if<stimulus::CancelAsked>(&stimulus); cancel != nullptr && cancel->force) {
    if (!forced_at_) forced_at_ = Steady::now();
    executor_.ForceStop();
  }
  if (machine_.finished()) return;
  Result<RunMachine::Step> step = machine_.Handle(stimulus, now);
  // What is told twice, such as the end of a resource that was given up, is told in vain.
  if (!step.ok()) return;
  for (Event& event : step->events) AddTakenOutcome(event);
  Status stored = Store(step->events);
  if (stored.ok()) {
    TellObserver(step->events);
    for (const Action& action : step->actions) std::visit([this](const auto& what) { Do(what); }, action);
    return;
  }
  for (const Action& action : step->actions) LeaveUndone(action);
  if (stored.code() == StatusCode::kCancelled) return Take(stimulus::ClaimLost{});
  Take(stimulus::CancelAsked{fmt::format("the store cannot be written: {}", stored.ToString()), false});
}

// What is taken over stands in this run's log too, so that a run that repeats this one finds it here.
void RunDriver::AddTakenOutcome(Event& event) const {
  if (event.type != event::kOpSkipped) return;
  auto taken = options_.taken_outcomes.find(event.op);
  if (taken != options_.taken_outcomes.end() && !taken->second.is_null()) event.data["outcome"] = taken->second;
}

// Gives the events back as they were stored.
Status RunDriver::Store(std::vector<Event>& events) {
  if (journal_ == nullptr || !store_error_.ok()) {
    for (Event& event : events) event.time = options_.clock->Now();
    return Status::Ok();
  }
  Result<std::vector<Event>> stored = journal_->Write(events);
  if (!stored.ok() && stored.status().code() == StatusCode::kFailed) {
    CancelInsteadOfSuccess(events);
    stored = journal_->Write(events);
  }
  if (!stored.ok()) {
    store_error_ = stored.status();
    return store_error_;
  }
  events = std::move(*stored);
  return Status::Ok();
}

// Somebody asked to stop in the moment in which everything had succeeded.
void RunDriver::CancelInsteadOfSuccess(std::vector<Event>& events) {
  for (Event& event : events) {
    if (event.type != event::kRunSucceeded) continue;
    cancel_instead_ = true;
    event.type = event::kRunCancelled;
    event.data["cause"] = ErrorToJson(Status::Cancelled("somebody asked the run to stop"));
  }
}

void RunDriver::TellObserver(const std::vector<Event>& events) {
  if (options_.observer == nullptr) return;
  for (const Event& event : events) {
    const OpDef* op = event.op.empty() ? nullptr : job_.FindOp(event.op);
    const OpRecord* record = nullptr;
    for (const OpRecord& candidate : machine_.records()) {
      if (candidate.op == event.op) record = &candidate;
    }
    if (op != nullptr && record != nullptr) {
      if (event.type == event::kOpStarted) {
        options_.observer->OpStarted(*op, event.attempt);
      } else if (event.type == event::kOpWillRetry) {
        Duration delay(static_cast<int64_t>(event.data.value("delay_seconds", 0.0) * 1000));
        options_.observer->OpWillRetry(*op, record->error, event.attempt, delay);
      } else if (IsFinal(record->state) && event.type == fmt::format("op.{}", OpStateName(record->state))) {
        options_.observer->OpEnded(*op, *record);
      }
    }
    options_.observer->Recorded(event);
  }
}

// Ops.

void RunDriver::Do(const action::StartOp& start) {
  const OpDef* op = job_.FindOp(start.op);
  MUTIRAO_CHECK(op != nullptr);
  Attempt& attempt = attempts_[KeyOf("op", start.op, start.attempt)];
  OpAttempt context = AttemptOf(*op, start.attempt, attempt.stop.get_token());
  attempt.op = start.op;
  attempt.number = start.attempt;
  if (op->timeout) PostAfter(*op->timeout, stimulus::OpTimedOut{op->name, start.attempt, TooLong(*op)});
  attempt.thread = std::thread([this, op, &attempt, context = std::move(context)] {
    stimulus::OpEnded ended{.op = op->name, .attempt = context.number};
    ended.error = executor_.Execute(*op, context, ended.outcome);
    attempt.ended = true;
    Post(std::move(ended));
  });
}

OpAttempt RunDriver::AttemptOf(const OpDef& op, int number, std::stop_token stop) {
  OpAttempt attempt{.run_id = machine_.run_id(), .number = number, .run_started = started_, .stop = std::move(stop)};
  attempt.folder = options_.folder;
  for (const std::string& name : op.resources) {
    const Resource* resource = resources_ == nullptr ? nullptr : resources_->Find(name);
    if (resource != nullptr) attempt.resources[name] = resource;
  }
  auto outcomes = std::make_shared<OpOutcomes>();
  const std::set<std::string> before = Ancestors(job_, op.name);
  for (const OpRecord& record : machine_.records()) {
    if (!before.contains(record.op)) continue;
    auto taken = options_.taken_outcomes.find(record.op);
    if (record.state == OpState::kSucceeded) (*outcomes)[record.op] = record.outcome;
    if (record.state == OpState::kSkipped && taken != options_.taken_outcomes.end()) {
      (*outcomes)[record.op] = taken->second;
    }
  }
  attempt.outcomes = std::move(outcomes);
  attempt.emit = [this, name = op.name, number](std::string_view type, Json data) {
    Emit(name, number, type, std::move(data));
  };
  return attempt;
}

void RunDriver::Emit(const std::string& op, int attempt, std::string_view type, Json data) {
  if (journal_ == nullptr) return;
  journal_->Note({.type = std::string(type), .op = op, .attempt = attempt, .data = std::move(data)});
}

void RunDriver::Do(const action::StopOp& stop) {
  for (auto& [key, attempt] : attempts_) {
    if (!key.starts_with("op " + stop.op + " ")) continue;
    attempt.stop.request_stop();
    // Who asks a run to stop can force it.
    if (!attempt.told_to_stop && machine_.state() == RunState::kRunning) attempt.told_to_stop = Steady::now();
  }
}

void RunDriver::Do(const action::WaitForRetry& wait) {
  PostAfter(wait.delay, stimulus::RetryDue{wait.op, wait.attempt});
}

// Resources.

void RunDriver::Do(const action::Acquire& acquire) {
  const std::string& name = acquire.resource;
  auto report = [this, name](const Json& progress) {
    if (journal_ == nullptr) return;
    Json data = {{"resource", name}};
    if (progress.is_object()) data.update(progress);
    journal_->Note({.type = std::string(event::kResourceProgress), .data = std::move(data)});
  };
  auto work = [this, name, attempt = acquire.attempt, report](std::stop_token stop) -> Stimulus {
    RunResources::Acquired acquired = resources_->Acquire(name, attempt, std::move(stop), report);
    if (acquired.error.ok()) return stimulus::ResourceReady{name, std::move(acquired.links)};
    return stimulus::ResourceFailed{name, std::move(acquired.error), acquired.leaked};
  };
  stimulus::ResourceFailed late{name, Status::Deadline("making it took too long and could not be stopped"), true};
  StartResourceTask(name, KeyOf("acquire", name, acquire.attempt), AcquireTimeout(*job_.FindResource(name)), work,
                    late);
}

void RunDriver::Do(const action::StopAcquire& stop) {
  std::lock_guard lock(mutex_);
  for (auto& [key, task] : tasks_) {
    if (key.starts_with("acquire " + stop.resource + " ")) task->stop.request_stop();
  }
}

void RunDriver::Do(const action::WaitToAcquire& wait) {
  PostAfter(wait.delay, stimulus::ResourceRetryDue{wait.resource});
}

void RunDriver::Do(const action::Release& release) {
  const std::string& name = release.resource;
  auto work = [this, name, outcome = release.outcome](std::stop_token /*stop*/) -> Stimulus {
    return stimulus::ResourceReleased{name, resources_->Release(name, outcome)};
  };
  stimulus::ResourceReleased late{name, Status::Deadline("ending it took too long and could not be stopped")};
  StartResourceTask(name, KeyOf("release", name, 0), ReleaseTimeout(*job_.FindResource(name)), work, late);
}

void RunDriver::StartResourceTask(const std::string& name, const std::string& what, Duration time,
                                  std::function<Stimulus(std::stop_token)> work, Stimulus late) {
  auto task = std::make_shared<ResourceTask>();
  {
    std::lock_guard lock(mutex_);
    tasks_[what] = task;
    timers_.push({Steady::now() + time + kTolerance, std::move(late), task});
  }
  task->thread = std::thread([this, name, task, work = std::move(work)] {
    Stimulus result = work(task->stop.get_token());
    std::unique_lock lock(mutex_);
    task->done = true;
    if (!task->given_up) {
      inbox_.push_back(std::move(result));
      wake_.notify_all();
      return;
    }
    lock.unlock();
    // Nobody waits for it any more.
    if (std::holds_alternative<stimulus::ResourceReady>(result)) {
      [[maybe_unused]] Status released = resources_->Release(name, Outcome::kFailed);
    }
  });
}

// When a step could not be stored its actions are not taken; those that somebody waits for end at once.
void RunDriver::LeaveUndone(const Action& action) {
  const Status undone = Status::Cancelled("not begun, since the store cannot be written");
  if (const auto* start = std::get_if<action::StartOp>(&action)) {
    Post(stimulus::OpEnded{start->op, start->attempt, undone, {}});
  } else if (const auto* acquire = std::get_if<action::Acquire>(&action)) {
    Post(stimulus::ResourceFailed{acquire->resource, undone, false});
  } else if (const auto* release = std::get_if<action::Release>(&action)) {
    // Of a run that belongs to another now its lease does too. Otherwise it is ended whether that is stored or not.
    if (store_error_.code() == StatusCode::kCancelled) {
      Post(stimulus::ResourceReleased{release->resource, undone});
    } else {
      Do(*release);
    }
  } else {
    std::visit([this](const auto& what) { Do(what); }, action);
  }
}

void RunDriver::Join() {
  for (auto& [key, attempt] : attempts_) {
    if (attempt.thread.joinable()) attempt.thread.join();
  }
  std::unique_lock lock(mutex_);
  for (auto& [key, task] : tasks_) {
    if (!task->thread.joinable()) continue;
    // One that is still at work after the run's end was given up.
    if (!task->done) {
      task->given_up = true;
      ++stuck_;
      task->thread.detach();
      continue;
    }
    lock.unlock();
    task->thread.join();
    lock.lock();
  }
}

RunRecord RunDriver::Sum() const {
  RunRecord run{.run_id = machine_.run_id(), .state = machine_.state(), .started = started_};
  run.ended = options_.clock->Now();
  run.seconds = std::chrono::duration<double>(Steady::now() - begun_).count();
  run.ops = machine_.records();
  for (OpRecord& record : run.ops) {
    auto taken = options_.taken_outcomes.find(record.op);
    if (record.state == OpState::kSkipped && taken != options_.taken_outcomes.end()) record.outcome = taken->second;
  }
  run.leaked = machine_.leaked();
  run.cause = machine_.cause();
  if (cancel_instead_) {
    run.state = RunState::kCancelled;
    run.cause = Status::Cancelled("somebody asked the run to stop");
  }
  run.store_error = store_error_;
  if (machine_.abandoned()) run.state = RunState::kCancelled;
  return run;
}

}  // namespace mutirao::orchestration
