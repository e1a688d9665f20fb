#include "cluster/plan_progress.h"

#include <algorithm>

#include <fmt/format.h>

namespace mutirao::cluster {
namespace {

// Whether another worker may do better: its disk is not full, it sees the file.
bool MayGoBetterElsewhere(const Status& error) {
  switch (error.code()) {
    case StatusCode::kIo:
    case StatusCode::kUnavailable:
    case StatusCode::kExhausted:
    case StatusCode::kDeadline:
    case StatusCode::kCancelled:  // by somebody else than us
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string AttemptId::ToString() const {
  return fmt::format("{}/{}/{}", stage, task, attempt);
}

PlanProgress::PlanProgress(std::vector<StageShape> stages, PlanLimits limits) : limits_(limits) {
  for (StageShape& shape : stages) {
    Stage stage;
    stage.tasks.resize(static_cast<size_t>(shape.tasks));
    for (int task = shape.tasks - 1; task >= 0; --task) stage.waiting.push_back(task);
    total_ += shape.tasks;
    stage.shape = std::move(shape);
    stages_.push_back(std::move(stage));
  }
}

PlanProgress::Actions PlanProgress::Start(Time now) {
  Actions actions;
  started_ = true;
  slots_since_ = now;
  MakeReady(actions);
  SubmitMore(actions);
  EndWhenQuiet(actions);
  return actions;
}

PlanProgress::Actions PlanProgress::SlotsChanged(int slots, Time now) {
  Actions actions;
  if (slots_ > 0 && slots <= 0) slots_since_ = now;
  slots_ = slots;
  SubmitMore(actions);
  return actions;
}

// Some wait in the cluster, so that a slot that becomes free has its next task at once. They are replaced when a
// quarter of them has gone: the cluster takes many at once for little more than one.
int PlanProgress::Room() const {
  const int wanted = slots_ <= 0 ? 0 : std::min(limits_.most_in_flight, 2 * slots_ + 16);
  const int room = wanted - in_flight_;
  return 4 * room >= wanted ? room : 0;
}

void PlanProgress::MakeReady(Actions& actions) {
  for (size_t i = 0; i < stages_.size(); ++i) {
    Stage& stage = stages_[i];
    if (stage.ready) continue;
    stage.ready = std::all_of(stage.shape.after.begin(), stage.shape.after.end(), [&](int before) {
      const Stage& other = stages_[static_cast<size_t>(before)];
      return other.done == other.shape.tasks;
    });
    if (stage.ready) actions.push_back(Prepare{static_cast<int>(i)});
  }
}

void PlanProgress::SubmitMore(Actions& actions) {
  if (!started_ || giving_up_ || over_) return;
  int room = Room();
  for (size_t i = 0; i < stages_.size() && room > 0; ++i) {
    Stage& stage = stages_[i];
    while (stage.ready && room > 0 && !stage.waiting.empty()) {
      const int task = stage.waiting.back();
      stage.waiting.pop_back();
      SubmitOne(static_cast<int>(i), task, actions);
      --room;
    }
  }
}

void PlanProgress::SubmitOne(int stage, int task, Actions& actions) {
  Task& state = stages_[static_cast<size_t>(stage)].tasks[static_cast<size_t>(task)];
  const int number = state.next_attempt++;
  state.live.push_back({.number = number, .worker = "", .began = {}});
  ++in_flight_;
  actions.push_back(Submit{{stage, task, number}, state.avoid});
}

PlanProgress::Task* PlanProgress::Find(const AttemptId& id, std::vector<Attempt>::iterator* attempt) {
  if (id.stage < 0 || static_cast<size_t>(id.stage) >= stages_.size()) return nullptr;
  Stage& stage = stages_[static_cast<size_t>(id.stage)];
  if (id.task < 0 || static_cast<size_t>(id.task) >= stage.tasks.size()) return nullptr;
  Task& task = stage.tasks[static_cast<size_t>(id.task)];
  *attempt = std::find_if(task.live.begin(), task.live.end(), [&](const Attempt& a) { return a.number == id.attempt; });
  return *attempt == task.live.end() ? nullptr : &task;
}

bool PlanProgress::End(const AttemptId& id, Attempt* ended) {
  std::vector<Attempt>::iterator attempt;
  Task* task = Find(id, &attempt);
  if (task == nullptr) return false;
  *ended = *attempt;
  task->live.erase(attempt);
  --in_flight_;
  return true;
}

void PlanProgress::Running(const AttemptId& id, const std::string& worker, Time now) {
  std::vector<Attempt>::iterator attempt;
  if (Find(id, &attempt) == nullptr) return;
  attempt->worker = worker;
  attempt->began = now;
}

PlanProgress::Actions PlanProgress::Done(const AttemptId& id, Time now, bool& accepted) {
  Actions actions;
  Attempt ended;
  accepted = false;
  if (!End(id, &ended)) return actions;
  Stage& stage = stages_[static_cast<size_t>(id.stage)];
  Task& task = stage.tasks[static_cast<size_t>(id.task)];
  accepted = !task.done && !giving_up_;
  if (accepted) {
    task.done = true;
    ++stage.done;
    ++done_;
    if (!ended.worker.empty()) stage.seconds.push_back(std::chrono::duration<double>(now - ended.began).count());
    CancelAttempts copies;
    for (const Attempt& other : task.live) copies.attempts.push_back({id.stage, id.task, other.number});
    if (!copies.attempts.empty()) actions.push_back(std::move(copies));
    if (stage.done == stage.shape.tasks) MakeReady(actions);
  }
  SubmitMore(actions);
  EndWhenQuiet(actions);
  return actions;
}

void PlanProgress::TryAgain(const AttemptId& id, Actions& actions) {
  Stage& stage = stages_[static_cast<size_t>(id.stage)];
  Task& task = stage.tasks[static_cast<size_t>(id.task)];
  // A copy that goes on is try enough.
  if (!task.done && !giving_up_ && task.live.empty()) stage.waiting.push_back(id.task);
  SubmitMore(actions);
  EndWhenQuiet(actions);
}

PlanProgress::Actions PlanProgress::Failed(const AttemptId& id, const Status& error, Time) {
  Actions actions;
  Attempt ended;
  if (!End(id, &ended)) return actions;
  Task& task = stages_[static_cast<size_t>(id.stage)].tasks[static_cast<size_t>(id.task)];
  if (!task.done && !giving_up_) {
    const bool again = MayGoBetterElsewhere(error) && ++task.failures < limits_.failures;
    if (!ended.worker.empty()) task.avoid.push_back(ended.worker);
    if (!again) {
      const std::string where = ended.worker.empty() ? "" : " on " + ended.worker;
      Status why = error.Context(fmt::format("task {} of stage {}{}", id.task, id.stage, where));
      if (task.failures > 1) why = std::move(why).Context(fmt::format("after {} tries", task.failures));
      GiveUp(std::move(why), actions);
    }
  }
  TryAgain(id, actions);
  return actions;
}

PlanProgress::Actions PlanProgress::Lost(const AttemptId& id, const std::string& worker, Time) {
  Actions actions;
  // Dask tells of every task that the worker had, running or waiting: what waited there is innocent, as long as
  // something is known to have run.
  auto [known, first] = died_running_.try_emplace(worker, false);
  if (first) {
    for (const Stage& stage : stages_) {
      for (const Task& task : stage.tasks) {
        for (const Attempt& attempt : task.live) known->second |= attempt.worker == worker;
      }
    }
  }
  Attempt ended;
  if (!End(id, &ended)) return actions;
  ++lost_;
  Task& task = stages_[static_cast<size_t>(id.stage)].tasks[static_cast<size_t>(id.task)];
  if (!task.done && !giving_up_ && (!ended.worker.empty() || !known->second) && ++task.losses >= limits_.losses) {
    GiveUp(Status::Failed(fmt::format("task {} of stage {} ended with its worker {} times; the last was {}", id.task,
                                      id.stage, task.losses, worker))
               .Help("memory is a usual cause: see the worker's log, give workers more memory or tasks less to do"),
           actions);
  }
  TryAgain(id, actions);
  return actions;
}

PlanProgress::Actions PlanProgress::Cancelled(const AttemptId& id, Time now) {
  std::vector<Attempt>::iterator attempt;
  Task* task = Find(id, &attempt);
  if (task != nullptr && !task->done && !giving_up_) {
    return Failed(id, Status::Cancelled("somebody cancelled it in the cluster"), now);
  }
  Actions actions;
  Attempt ended;
  if (!End(id, &ended)) return actions;
  SubmitMore(actions);
  EndWhenQuiet(actions);
  return actions;
}

PlanProgress::Actions PlanProgress::Cancel(Status why, Time) {
  Actions actions;
  GiveUp(std::move(why), actions);
  EndWhenQuiet(actions);
  return actions;
}

void PlanProgress::GiveUp(Status why, Actions& actions) {
  if (giving_up_ || over_) return;
  giving_up_ = true;
  why_ = std::move(why);
  CancelAttempts all;
  for (size_t i = 0; i < stages_.size(); ++i) {
    for (size_t j = 0; j < stages_[i].tasks.size(); ++j) {
      for (const Attempt& attempt : stages_[i].tasks[j].live) {
        all.attempts.push_back({static_cast<int>(i), static_cast<int>(j), attempt.number});
      }
    }
  }
  if (!all.attempts.empty()) actions.push_back(std::move(all));
}

void PlanProgress::EndWhenQuiet(Actions& actions) {
  if (over_ || !started_ || in_flight_ > 0) return;
  if (!giving_up_ && done_ < total_) return;
  over_ = true;
  actions.push_back(Finish{why_});
}

void PlanProgress::CopyStragglers(Time now, Actions& actions) {
  int free = std::min(slots_, limits_.most_in_flight) - in_flight_;
  for (size_t i = 0; i < stages_.size() && free > 0; ++i) {
    Stage& stage = stages_[i];
    if (!stage.ready || !stage.waiting.empty() || stage.done * 2 < stage.shape.tasks || stage.seconds.empty()) continue;
    std::vector<double> sorted = stage.seconds;
    auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    const double bound = std::max(limits_.straggler_least.count(), limits_.straggler_factor * *middle);
    for (size_t j = 0; j < stage.tasks.size() && free > 0; ++j) {
      Task& task = stage.tasks[j];
      if (task.done || task.live.size() != 1 || task.live[0].worker.empty()) continue;
      if (std::chrono::duration<double>(now - task.live[0].began).count() < bound) continue;
      const std::vector<std::string> before = task.avoid;
      task.avoid.push_back(task.live[0].worker);
      SubmitOne(static_cast<int>(i), static_cast<int>(j), actions);
      task.avoid = before;
      ++copied_;
      --free;
    }
  }
}

PlanProgress::Actions PlanProgress::Tick(Time now) {
  Actions actions;
  if (!started_ || over_ || giving_up_) return actions;
  if (slots_ <= 0 && now - slots_since_ > limits_.without_workers) {
    GiveUp(
        Status::Unavailable(fmt::format("the cluster has had no worker for {:.0f} s", limits_.without_workers.count())),
        actions);
    EndWhenQuiet(actions);
    return actions;
  }
  CopyStragglers(now, actions);
  return actions;
}

}  // namespace mutirao::cluster
