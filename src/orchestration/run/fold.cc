#include "orchestration/run/fold.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

constexpr std::array kInformation{event::kOpProgress,        event::kOpWarning,         event::kOpMaterialized,
                                  event::kOpCheck,           event::kOpMessage,         event::kOpPlan,
                                  event::kResourceAcquiring, event::kResourceProgress,  event::kResourceReady,
                                  event::kResourceFailed,    event::kResourceReleasing, event::kResourceReleased,
                                  event::kResourceLeaked,    event::kResourceReaped};
constexpr std::array kTransitions{
    event::kRunQueued, event::kRunStarting,  event::kRunStarted, event::kRunCancelAsked, event::kRunSucceeded,
    event::kRunFailed, event::kRunCancelled, event::kOpStarted,  event::kOpWillRetry,    event::kOpSucceeded,
    event::kOpFailed,  event::kOpBlocked,    event::kOpSkipped,  event::kOpCancelled};

bool OfResource(std::string_view type) {
  return type.starts_with("resource.");
}

bool OfOp(std::string_view type) {
  return type.starts_with("op.");
}

const Json* Find(const Json& data, const char* key) {
  if (!data.is_object()) return nullptr;
  auto it = data.find(key);
  return it == data.end() || it->is_null() ? nullptr : &*it;
}

bool Flag(const Json& data, const char* key) {
  const Json* value = Find(data, key);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

Status NotLegal(const Event& event, std::string_view what, std::string_view state) {
  return Status::Internal(fmt::format("event {}{}{} while the {} is {}", event.type, event.op.empty() ? "" : " of op ",
                                      event.op, what, state));
}

bool RunMayMove(std::string_view type, const RunRow& run) {
  if (type == event::kRunQueued) return run.state == RunState::kQueued && run.last_event == 0;
  if (type == event::kRunStarting) return run.state == RunState::kQueued && !run.cancel_asked;
  if (type == event::kRunStarted) return run.state == RunState::kStarting;
  if (type == event::kRunSucceeded) return run.state == RunState::kRunning;
  if (type == event::kRunFailed) return run.state != RunState::kQueued && !IsFinal(run.state);
  return !IsFinal(run.state);  // cancel asked, cancelled
}

RunState NextRunState(std::string_view type, RunState state) {
  if (type == event::kRunStarting) return RunState::kStarting;
  if (type == event::kRunStarted) return RunState::kRunning;
  if (type == event::kRunSucceeded) return RunState::kSucceeded;
  if (type == event::kRunFailed) return RunState::kFailed;
  if (type == event::kRunCancelled) return RunState::kCancelled;
  // Nobody works on a queued run, so whoever asks it to stop ends it with the next event.
  if (type == event::kRunCancelAsked && state != RunState::kQueued) return RunState::kCancelling;
  return state;
}

Status CheckAllSucceeded(const Event& event, const std::map<std::string, OpRow>& ops) {
  for (const auto& [name, op] : ops) {
    if (op.state == OpState::kSucceeded || op.state == OpState::kSkipped) continue;
    return NotLegal(event, "op " + name, OpStateName(op.state));
  }
  return Status::Ok();
}

void CancelOpenOps(const Event& event, const RunRow& run, std::map<std::string, OpRow>& ops) {
  for (auto& [name, op] : ops) {
    if (IsFinal(op.state)) continue;
    op.state = OpState::kCancelled;
    op.ended = event.time;
    op.error = run.cause;
  }
}

Status FoldRun(const Event& event, RunRow& run, std::map<std::string, OpRow>& ops) {
  const std::string_view type = event.type;
  if (type == event::kRunSucceeded && run.state == RunState::kCancelling) {
    return Status::Failed(fmt::format("run {} was asked to stop before it succeeded", run.spec.id));
  }
  if (!RunMayMove(type, run)) return NotLegal(event, "run", RunStateName(run.state));
  if (type == event::kRunSucceeded) MUTIRAO_TRY(CheckAllSucceeded(event, ops));

  if (type == event::kRunQueued) run.queued = event.time;
  if (type == event::kRunCancelAsked) {
    run.cancel_asked = true;
    run.cancel_forced = run.cancel_forced || Flag(event.data, "force");
  }
  if (type == event::kRunStarted) {
    run.started = event.time;
    if (const Json* config = Find(event.data, "config")) run.config = *config;
  }
  run.state = NextRunState(type, run.state);
  if (!EndsRun(type)) return Status::Ok();
  run.ended = event.time;
  run.leaked = run.leaked || Flag(event.data, "leaked");
  if (const Json* cause = Find(event.data, "cause")) run.cause = *cause;
  CancelOpenOps(event, run, ops);
  return Status::Ok();
}

bool OpMayMove(const Event& event, const OpRow& op) {
  const std::string_view type = event.type;
  const bool pending = op.state == OpState::kPending;
  const bool running = op.state == OpState::kRunning;
  const bool waiting = op.state == OpState::kUpForRetry;
  if (type == event::kOpStarted) return (pending || waiting) && event.attempt == op.attempts + 1;
  if (type == event::kOpBlocked || type == event::kOpSkipped) return pending;
  if (type == event::kOpWillRetry || type == event::kOpSucceeded) return running && event.attempt == op.attempts;
  if (running && event.attempt != op.attempts) return false;
  return pending || running || waiting;  // failed, also for want of a resource before it started; cancelled
}

OpState NextOpState(std::string_view type) {
  if (type == event::kOpStarted) return OpState::kRunning;
  if (type == event::kOpWillRetry) return OpState::kUpForRetry;
  if (type == event::kOpSucceeded) return OpState::kSucceeded;
  if (type == event::kOpFailed) return OpState::kFailed;
  if (type == event::kOpBlocked) return OpState::kBlocked;
  if (type == event::kOpSkipped) return OpState::kSkipped;
  return OpState::kCancelled;
}

Status FoldOp(const Event& event, const RunRow& run, std::map<std::string, OpRow>& ops) {
  if (run.state != RunState::kRunning && run.state != RunState::kCancelling) {
    return NotLegal(event, "run", RunStateName(run.state));
  }
  auto known = ops.find(event.op);
  OpRow op = known != ops.end() ? known->second : OpRow{.run_id = run.spec.id, .op = event.op};
  if (!OpMayMove(event, op)) {
    return NotLegal(event, "op",
                    fmt::format("{}, attempt {} of {}", OpStateName(op.state), event.attempt, op.attempts));
  }
  op.state = NextOpState(event.type);
  if (event.type == event::kOpStarted) {
    op.attempts = event.attempt;
    if (!op.started) op.started = event.time;
  }
  if (IsFinal(op.state)) op.ended = event.time;
  if (const Json* error = Find(event.data, "error")) op.error = *error;
  if (op.state == OpState::kSucceeded) op.error = nullptr;
  if (const Json* outcome = Find(event.data, "outcome")) op.outcome = *outcome;
  ops[event.op] = std::move(op);
  return Status::Ok();
}

}  // namespace

bool ChangesState(std::string_view type) {
  return std::find(kTransitions.begin(), kTransitions.end(), type) != kTransitions.end();
}

bool EndsRun(std::string_view type) {
  return type == event::kRunSucceeded || type == event::kRunFailed || type == event::kRunCancelled;
}

Status Fold(const Event& event, RunRow& run, std::map<std::string, OpRow>& ops) {
  if (OfOp(event.type) == event.op.empty() && !OfResource(event.type)) {
    return Status::Internal(fmt::format("event {} {} an op", event.type, event.op.empty() ? "without" : "names"));
  }
  if (ChangesState(event.type)) {
    return OfOp(event.type) ? FoldOp(event, run, ops) : FoldRun(event, run, ops);
  }
  if (std::find(kInformation.begin(), kInformation.end(), event.type) == kInformation.end()) {
    return Status::Internal(fmt::format("there is no event of type \"{}\"", event.type));
  }
  if (IsFinal(run.state) && !OfResource(event.type)) return NotLegal(event, "run", RunStateName(run.state));
  if (event.type == event::kResourceLeaked) run.leaked = true;
  return Status::Ok();
}

}  // namespace mutirao::orchestration
