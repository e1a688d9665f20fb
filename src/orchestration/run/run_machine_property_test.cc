// Any order of stimuli, possible or not, keeps the promises of a run.
#include <functional>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "orchestration/run/run_machine.h"

namespace mutirao::orchestration {
namespace {

// Of the whole range, however small the case.
int Any(int below) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, below));
}

RunPlan AnyPlan() {
  RunPlan plan{.run_id = "20260101-000000-00000000"};
  plan.max_parallel_ops = 1 + Any(3);
  const int resources = Any(4);
  for (int i = 0; i < resources; ++i) {
    RunPlan::Resource resource{.name = fmt::format("r{}", i), .retry = {.max = Any(2)}};
    for (int j = 0; j < i; ++j) {
      if (Any(2) == 0) resource.needs.push_back(fmt::format("r{}", j));
    }
    plan.resources.push_back(std::move(resource));
  }
  const int ops = 1 + Any(6);
  for (int i = 0; i < ops; ++i) {
    RunPlan::Op op{.name = fmt::format("o{}", i), .retry = {.max = Any(3)}, .takes_engine = Any(3) == 0};
    for (int j = 0; j < i; ++j) {
      if (Any(3) == 0) op.after.push_back(fmt::format("o{}", j));
    }
    for (int j = 0; j < resources; ++j) {
      if (Any(3) == 0) op.resources.push_back(fmt::format("r{}", j));
    }
    if (Any(5) == 0) plan.taken_over[op.name] = "20250101-000000-00000000";
    if (Any(6) != 0) plan.selected.insert(op.name);
    plan.ops.push_back(std::move(op));
  }
  return plan;
}

// The world outside: does what the machine says, ends things in any order, and at times tells what is not so.
class World {
 public:
  explicit World(const RunPlan& plan) : plan_(plan), machine_(plan, 7) {}

  void Play() {
    Give(stimulus::Begin{});
    for (int steps = 0; !machine_.finished(); ++steps) {
      RC_ASSERT(steps < 10'000);
      if (Any(10) == 0) {
        TellSomethingOdd();
      } else {
        Advance();
      }
    }
    CheckEnd();
  }

 private:
  void Advance() {
    std::vector<std::function<void()>> can;
    for (const auto& [op, attempt] : running_)
      can.emplace_back([this, op = op, attempt = attempt] { EndOp(op, attempt); });
    for (const std::string& name : acquiring_) can.emplace_back([this, name] { EndAcquire(name); });
    for (const std::string& name : releasing_) can.emplace_back([this, name] { EndRelease(name); });
    for (const auto& [op, attempt] : retries_) {
      can.emplace_back([this, op = op, attempt = attempt] {
        retries_.erase(op);
        Give(stimulus::RetryDue{op, attempt});
      });
    }
    for (const std::string& name : waiting_) {
      can.emplace_back([this, name] {
        waiting_.erase(name);
        Give(stimulus::ResourceRetryDue{name});
      });
    }
    // Nothing to wait for and not at the end: it would hang for ever.
    RC_ASSERT(!can.empty());
    can[static_cast<size_t>(Any(static_cast<int>(can.size())))]();
  }

  void EndOp(const std::string& op, int attempt) {
    running_.erase(op);
    const int how = Any(4);
    Status error = how == 0 ? Status::Failed("no") : how == 1 ? Status::Invalid("wrong") : Status::Ok();
    Give(stimulus::OpEnded{op, attempt, error, {}});
  }
  void EndAcquire(const std::string& name) {
    acquiring_.erase(name);
    if (Any(3) != 0) {
      up_.insert(name);
      Give(stimulus::ResourceReady{name, {}});
    } else {
      Give(stimulus::ResourceFailed{name, Any(2) == 0 ? Status::Io("no") : Status::Invalid("wrong"), Any(4) == 0});
    }
  }
  void EndRelease(const std::string& name) {
    releasing_.erase(name);
    up_.erase(name);
    Give(stimulus::ResourceReleased{name, Any(4) == 0 ? Status::Io("stuck") : Status::Ok()});
  }

  void TellSomethingOdd() {
    const std::string op = fmt::format("o{}", Any(8));
    const std::string resource = fmt::format("r{}", Any(5));
    switch (Any(9)) {
      case 0:
        if (!running_.contains(op)) Refused(stimulus::OpEnded{op, 1 + Any(3), {}, {}});
        break;
      case 1:
        if (!acquiring_.contains(resource)) Refused(stimulus::ResourceReady{resource, {}});
        break;
      case 2:
        if (!acquiring_.contains(resource)) Refused(stimulus::ResourceFailed{resource, Status::Io("no"), false});
        break;
      case 3:
        if (!releasing_.contains(resource)) Refused(stimulus::ResourceReleased{resource, {}});
        break;
      case 4:
        return Refused(stimulus::Begin{});
      case 5:
        return Give(stimulus::OpTimedOut{op, 1 + Any(3), Status::Deadline("late")}, true);
      case 6:
        if (!retries_.contains(op)) Give(stimulus::RetryDue{op, 1 + Any(3)}, true);
        break;
      case 7:
        if (Any(4) == 0) {
          cancelled_ = true;
          Give(stimulus::CancelAsked{"somebody", Any(2) == 0});
        }
        break;
      default:
        if (Any(8) == 0) {
          Give(stimulus::ClaimLost{});
          abandoned_ = true;
        }
    }
  }

  void Refused(const Stimulus& stimulus) { RC_ASSERT(!machine_.Handle(stimulus, 1).ok()); }

  void Give(const Stimulus& stimulus, bool may_be_refused = false) {
    std::vector<OpRecord> before = machine_.records();
    Result<RunMachine::Step> step = machine_.Handle(stimulus, 1);
    if (!step.ok()) {
      RC_ASSERT(may_be_refused);
      return;
    }
    if (machine_.abandoned()) RC_ASSERT(step->events.empty());
    for (const Action& action : step->actions) std::visit([this](const auto& what) { Do(what); }, action);
    CheckAlways(before);
  }

  void Do(const action::StartOp& start) {
    RC_ASSERT(!cancelled_ && !abandoned_);
    RC_ASSERT(running_.emplace(start.op, start.attempt).second);
    RC_ASSERT(start.attempt == ++attempts_[start.op]);
    for (const RunPlan::Op& op : plan_.ops) {
      if (op.name != start.op) continue;
      RC_ASSERT(start.attempt <= op.retry.max + 1);
      for (const std::string& before : op.after) RC_ASSERT(EndedWell(before));
      for (const std::string& name : op.resources) RC_ASSERT(IsUp(name));
    }
  }
  void Do(const action::StopOp& stop) { RC_ASSERT(running_.contains(stop.op)); }
  void Do(const action::WaitForRetry& wait) { retries_[wait.op] = wait.attempt; }
  void Do(const action::Acquire& acquire) {
    RC_ASSERT(!cancelled_ && !abandoned_);
    RC_ASSERT(acquiring_.insert(acquire.resource).second && !up_.contains(acquire.resource));
    for (const RunPlan::Resource& resource : plan_.resources) {
      if (resource.name != acquire.resource) continue;
      for (const std::string& other : resource.needs) RC_ASSERT(IsUp(other));
    }
  }
  void Do(const action::StopAcquire& stop) { RC_ASSERT(acquiring_.contains(stop.resource)); }
  void Do(const action::WaitToAcquire& wait) { waiting_.insert(wait.resource); }
  void Do(const action::Release& release) {
    RC_ASSERT(IsUp(release.resource));
    RC_ASSERT(released_.insert(release.resource).second);
    releasing_.insert(release.resource);
    for (const RunPlan::Resource& other : plan_.resources) {
      for (const std::string& need : other.needs) {
        if (need == release.resource) RC_ASSERT(!IsUp(other.name) && !acquiring_.contains(other.name));
      }
    }
    for (const RunPlan::Op& op : plan_.ops) {
      for (const std::string& name : op.resources) {
        if (name == release.resource) RC_ASSERT(!running_.contains(op.name));
      }
    }
  }
  void Do(const action::Finish&) {
    RC_ASSERT(machine_.finished());
    RC_ASSERT(running_.empty() && acquiring_.empty() && releasing_.empty());
    RC_ASSERT(up_.empty() || machine_.abandoned());
  }

  void CheckAlways(const std::vector<OpRecord>& before) {
    RC_ASSERT(static_cast<int>(running_.size()) <= plan_.max_parallel_ops);
    int on_engine = 0;
    for (const RunPlan::Op& op : plan_.ops) on_engine += op.takes_engine && running_.contains(op.name) ? 1 : 0;
    RC_ASSERT(on_engine <= 1);
    for (size_t i = 0; i < before.size(); ++i) {
      if (IsFinal(before[i].state)) RC_ASSERT(machine_.records()[i].state == before[i].state);
    }
  }
  void CheckEnd() {
    for (const OpRecord& record : machine_.records()) RC_ASSERT(IsFinal(record.state));
    if (cancelled_ && !machine_.abandoned()) RC_ASSERT(machine_.state() == RunState::kCancelled);
    if (machine_.state() != RunState::kSucceeded && !machine_.abandoned()) RC_ASSERT(!machine_.cause().ok());
    RC_ASSERT(!machine_.Handle(stimulus::ClaimLost{}, 1).ok());
  }

  bool IsUp(const std::string& resource) const { return up_.contains(resource) && !releasing_.contains(resource); }
  bool EndedWell(const std::string& op) const {
    for (const OpRecord& record : machine_.records()) {
      if (record.op == op) return record.state == OpState::kSucceeded || record.state == OpState::kSkipped;
    }
    return false;
  }

  const RunPlan& plan_;
  RunMachine machine_;
  std::map<std::string, int> running_, retries_, attempts_;
  std::set<std::string> acquiring_, releasing_, up_, waiting_, released_;
  bool cancelled_ = false;
  bool abandoned_ = false;
};

TEST(RunMachineProperty, HoldsInAnyOrderOfThings) {
  EXPECT_TRUE(rc::check([] {
    for (int round = 0; round < 20; ++round) {
      const RunPlan plan = AnyPlan();
      World(plan).Play();
    }
  }));
}

}  // namespace
}  // namespace mutirao::orchestration
