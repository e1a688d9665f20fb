#include "orchestration/run/run_machine.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "orchestration/run/retry_delay.h"

namespace mutirao::orchestration {

Status RunMachine::Impossible(std::string what) {
  return Status::Internal("the run machine was told what cannot be: " + std::move(what));
}

RunMachine::RunMachine(RunPlan plan, uint64_t seed) : plan_(std::move(plan)), random_(seed) {
  for (const RunPlan::Resource& resource : plan_.resources) resources_[resource.name].plan = resource;
  std::function<void(const std::string&, std::set<std::string>&)> add = [&](const std::string& name,
                                                                            std::set<std::string>& all) {
    auto found = resources_.find(name);
    MUTIRAO_CHECK(found != resources_.end());
    if (!all.insert(name).second) return;
    for (const std::string& other : found->second.plan.needs) add(other, all);
  };
  for (const RunPlan::Op& op : plan_.ops) {
    OpPart part{.plan = op};
    for (const std::string& name : op.resources) add(name, part.resources);
    ops_.push_back(std::move(part));
    records_.push_back({.op = op.name});
  }
}

RunState RunMachine::state() const {
  if (!finished_) return cancelled_ ? RunState::kCancelling : RunState::kRunning;
  if (cancelled_) return RunState::kCancelled;
  bool failed = std::any_of(records_.begin(), records_.end(),
                            [](const OpRecord& record) { return record.state == OpState::kFailed; });
  return failed ? RunState::kFailed : RunState::kSucceeded;
}

Result<RunMachine::Step> RunMachine::Handle(const Stimulus& stimulus, double now) {
  if (finished_) return Impossible("something after the end");
  if (begun_ == std::holds_alternative<stimulus::Begin>(stimulus)) return Impossible("it begins once and first");
  step_ = {};
  now_ = now;
  MUTIRAO_TRY(std::visit([&](const auto& what) { return Take(what); }, stimulus));
  GoOn();
  return std::move(step_);
}

Result<size_t> RunMachine::FindOp(const std::string& name) const {
  for (size_t i = 0; i < ops_.size(); ++i) {
    if (ops_[i].plan.name == name) return i;
  }
  return Impossible("there is no op " + name);
}

void RunMachine::Tell(std::string_view type, const std::string& op, int attempt, Json data) {
  if (abandoned_) return;
  step_.events.push_back({.type = std::string(type), .op = op, .attempt = attempt, .data = std::move(data)});
}

// What happened.

Status RunMachine::Take(const stimulus::Begin&) {
  begun_ = true;
  for (size_t i = 0; i < ops_.size(); ++i) {
    const std::string& name = ops_[i].plan.name;
    auto taken = plan_.taken_over.find(name);
    if (plan_.selected.contains(name) && taken == plan_.taken_over.end()) continue;
    Json data = Json::object();
    if (taken != plan_.taken_over.end()) data["taken_from"] = taken->second;
    EndOp(i, OpState::kSkipped, event::kOpSkipped, std::move(data));
  }
  return Status::Ok();
}

Status RunMachine::Take(const stimulus::OpEnded& ended) {
  const size_t i = MUTIRAO_TRY(FindOp(ended.op));
  OpRecord& record = records_[i];
  if (record.state != OpState::kRunning || record.attempts != ended.attempt) {
    return Impossible(fmt::format("attempt {} of op {} does not run", ended.attempt, ended.op));
  }
  if (!ended.outcome.is_null()) record.outcome = ended.outcome;
  record.error = ended.error;
  if (ended.error.ok()) {
    // What was done is done, even when somebody asked to stop meanwhile.
    Json data = {{"seconds", now_ - ops_[i].start}};
    if (!record.outcome.is_null()) data["outcome"] = record.outcome;
    EndOp(i, OpState::kSucceeded, event::kOpSucceeded, std::move(data));
  } else if (cancelled_ || abandoned_) {
    Json data = Json::object();
    if (!ended.outcome.is_null()) data["outcome"] = ended.outcome;
    EndOp(i, OpState::kCancelled, event::kOpCancelled, std::move(data));
  } else {
    if (ops_[i].timed_out) record.error = *ops_[i].timed_out;
    TryAgainOrFail(i, ended);
  }
  return Status::Ok();
}

void RunMachine::TryAgainOrFail(size_t i, const stimulus::OpEnded& ended) {
  OpRecord& record = records_[i];
  const RetryPolicy& retry = ops_[i].plan.retry;
  if (record.attempts > retry.max || !RetryWanted(retry, record.error)) return FailOp(i, record.error, ended.outcome);
  Duration delay = RetryDelay(retry, record.attempts, std::uniform_real_distribution<double>(0, 1)(random_));
  record.state = OpState::kUpForRetry;
  ops_[i].retry_due = false;
  Tell(event::kOpWillRetry, record.op, record.attempts,
       {{"error", ErrorToJson(record.error)}, {"delay_seconds", std::chrono::duration<double>(delay).count()}});
  step_.actions.emplace_back(action::WaitForRetry{record.op, record.attempts, delay});
}

Status RunMachine::Take(const stimulus::OpTimedOut& late) {
  const size_t i = MUTIRAO_TRY(FindOp(late.op));
  const OpRecord& record = records_[i];
  if (record.state != OpState::kRunning || record.attempts != late.attempt || ops_[i].timed_out) return Status::Ok();
  if (cancelled_ || abandoned_) return Status::Ok();
  ops_[i].timed_out = late.error;
  step_.actions.emplace_back(action::StopOp{late.op});
  return Status::Ok();
}

Status RunMachine::Take(const stimulus::RetryDue& due) {
  const size_t i = MUTIRAO_TRY(FindOp(due.op));
  if (records_[i].state == OpState::kUpForRetry && records_[i].attempts == due.attempt) ops_[i].retry_due = true;
  return Status::Ok();
}

Status RunMachine::Take(const stimulus::CancelAsked& cancel) {
  if (abandoned_ || (cancelled_ && (forced_ || !cancel.force))) return Status::Ok();
  if (!cancelled_) cause_ = Status::Cancelled(cancel.reason);
  cancelled_ = true;
  forced_ = forced_ || cancel.force;
  for (const OpRecord& record : records_) {
    if (record.state == OpState::kRunning) step_.actions.emplace_back(action::StopOp{record.op, forced_});
  }
  CancelWaiting();
  return Status::Ok();
}

Status RunMachine::Take(const stimulus::ClaimLost&) {
  if (abandoned_) return Status::Ok();
  abandoned_ = true;
  cause_ = Status::Cancelled("the run was given to another process");
  for (const OpRecord& record : records_) {
    if (record.state == OpState::kRunning) step_.actions.emplace_back(action::StopOp{record.op, true});
  }
  for (auto& [name, resource] : resources_) {
    if (resource.phase == Phase::kAcquiring) step_.actions.emplace_back(action::StopAcquire{name});
  }
  CancelWaiting();
  return Status::Ok();
}

void RunMachine::CancelWaiting() {
  for (size_t i = 0; i < ops_.size(); ++i) {
    if (records_[i].state == OpState::kPending || records_[i].state == OpState::kUpForRetry) {
      EndOp(i, OpState::kCancelled, event::kOpCancelled, Json::object());
    }
  }
}

// How an op ends.

void RunMachine::EndOp(size_t i, OpState state, std::string_view type, Json data) {
  OpRecord& record = records_[i];
  record.state = state;
  if (ops_[i].first_start >= 0) record.seconds = now_ - ops_[i].first_start;
  Tell(type, record.op, record.attempts, std::move(data));
}

void RunMachine::FailOp(size_t i, const Status& error, const Json& outcome) {
  OpRecord& record = records_[i];
  record.error = error;
  Json data = {{"error", ErrorToJson(error)}};
  if (ops_[i].first_start >= 0) data["seconds"] = now_ - ops_[i].start;
  if (!outcome.is_null()) data["outcome"] = outcome;
  if (cause_.ok()) {
    cause_ = Status(error.code(), fmt::format("op {} failed: {}", record.op, error.ToString())).Help(error.help());
  }
  for (const std::string& name : ops_[i].resources) resources_[name].failed_users = true;
  EndOp(i, OpState::kFailed, event::kOpFailed, std::move(data));
  BlockAfter(record.op);
}

// The plan's order puts every descendant behind what it is after.
void RunMachine::BlockAfter(const std::string& failed) {
  std::set<std::string> fallen = {failed};
  for (size_t i = 0; i < ops_.size(); ++i) {
    const std::vector<std::string>& after = ops_[i].plan.after;
    bool falls =
        std::any_of(after.begin(), after.end(), [&](const std::string& name) { return fallen.contains(name); });
    if (!falls || records_[i].state != OpState::kPending) continue;
    fallen.insert(ops_[i].plan.name);
    records_[i].blocked_by = failed;
    EndOp(i, OpState::kBlocked, event::kOpBlocked, {{"by", failed}});
  }
}

// What comes next.

void RunMachine::GoOn() {
  if (!cancelled_ && !abandoned_) StartWhatCan();
  if (!abandoned_) ReleaseWhatCan();
  FinishIfDone();
}

void RunMachine::StartWhatCan() {
  // A failure ends other ops, which may let yet others go on: until nothing changes.
  bool changed = true;
  while (changed) {
    changed = false;
    for (size_t i = 0; i < ops_.size(); ++i) changed = StartOrAcquire(i) || changed;
  }
}

bool RunMachine::StartOrAcquire(size_t i) {
  if (!IsReady(i)) return false;
  for (const std::string& name : ops_[i].resources) {
    const ResourcePart& resource = resources_[name];
    if (resource.phase != Phase::kFailed) continue;
    const Status& error = resource.error;
    FailOp(i,
           Status(error.code(), fmt::format("its resource {} could not be made: {}", name, error.ToString()))
               .Help(error.help()),
           Json());
    return true;
  }
  if (!HasSlot(ops_[i].plan)) return false;
  bool all_up = std::all_of(ops_[i].resources.begin(), ops_[i].resources.end(),
                            [&](const std::string& name) { return resources_[name].phase == Phase::kReady; });
  if (all_up) {
    Start(i);
    return true;
  }
  AcquireFor(ops_[i]);
  return false;
}

void RunMachine::Start(size_t i) {
  OpRecord& record = records_[i];
  OpPart& op = ops_[i];
  record.state = OpState::kRunning;
  ++record.attempts;
  op.timed_out.reset();
  op.start = now_;
  if (op.first_start < 0) op.first_start = now_;
  Tell(event::kOpStarted, record.op, record.attempts);
  step_.actions.emplace_back(action::StartOp{record.op, record.attempts});
}

bool RunMachine::IsReady(size_t i) const {
  if (records_[i].state == OpState::kUpForRetry) return ops_[i].retry_due;
  if (records_[i].state != OpState::kPending) return false;
  for (const std::string& name : ops_[i].plan.after) {
    Result<size_t> before = FindOp(name);
    if (!before.ok()) continue;
    OpState state = records_[*before].state;
    if (state != OpState::kSucceeded && state != OpState::kSkipped) return false;
  }
  return true;
}

bool RunMachine::HasSlot(const RunPlan::Op& op) const {
  int running = 0;
  bool engine_taken = false;
  for (size_t i = 0; i < ops_.size(); ++i) {
    if (records_[i].state != OpState::kRunning) continue;
    ++running;
    engine_taken = engine_taken || ops_[i].plan.takes_engine;
  }
  return running < plan_.max_parallel_ops && !(op.takes_engine && engine_taken);
}

void RunMachine::FinishIfDone() {
  for (const OpRecord& record : records_) {
    if (!IsFinal(record.state)) return;
  }
  for (const auto& [name, resource] : resources_) {
    bool busy = resource.phase == Phase::kAcquiring || resource.phase == Phase::kReleasing;
    if (busy || (resource.phase == Phase::kReady && !abandoned_)) return;
  }
  finished_ = true;
  Json data = {{"seconds", now_}, {"leaked", leaked_}};
  if (!cause_.ok()) data["cause"] = ErrorToJson(cause_);
  RunState end = state();
  Tell(end == RunState::kSucceeded ? event::kRunSucceeded
       : end == RunState::kFailed  ? event::kRunFailed
                                   : event::kRunCancelled,
       "", 0, std::move(data));
  step_.actions.emplace_back(action::Finish{});
}

}  // namespace mutirao::orchestration
