#include "orchestration/daemon/scheduler.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "orchestration/config/new_run.h"
#include "orchestration/schedule/tick_plan.h"

namespace mutirao::orchestration {
namespace {

Result<NewRun> RunOfTick(const ProjectFiles& files, const ProjectFiles::Job& job, const ScheduleDef& schedule,
                         const std::string& root, WallTime tick) {
  LaunchRequest request;
  if (!schedule.config.empty()) {
    request.layers.push_back({.origin = "schedule " + schedule.name, .values = schedule.config});
  }
  std::vector<ConfigFault> none;
  const StoredRequest stored = MUTIRAO_TRY(StoreRequest(request, {}, false, none));
  std::set<std::string> all;
  for (const OpDef& op : job.def.ops) all.insert(op.name);
  NewRun run = MakeNewRun(job.def, job.path, root, files.instance, stored.json, all);
  run.tags[std::string(kScheduleTag)] = job.def.name + "." + schedule.name;
  run.tick = TickKey{job.def.name, schedule.name, tick};
  if (const WallTime start = StartOf(job.def.name, schedule, tick); start > tick) run.not_before = start;
  return run;
}

}  // namespace

Result<Scheduler::Step> Scheduler::Look(const ProjectFiles& files) {
  Step step;
  const Leadership leadership = MUTIRAO_TRY(store_.Lead(self_, clock_.Now(), kTerm));
  leads_ = leadership.holder == self_;
  if (!leads_) return step;
  epoch_ = leadership.epoch;
  step.leads = true;
  CrashPoint("schedule.leading");
  std::vector<ScheduleRow> rows = MUTIRAO_TRY(store_.ListSchedules());
  for (const auto& job : files.jobs) {
    for (const ScheduleDef& schedule : job->def.schedules) {
      if (!schedule.timetable) continue;
      const ScheduleRow row = MUTIRAO_TRY(RowOf(job->def.name, schedule, rows));
      if (row.enabled) MUTIRAO_TRY(Decide(files, {*job, schedule, row}, step));
    }
  }
  return step;
}

Status Scheduler::StepDown() {
  if (!leads_) return Status::Ok();
  leads_ = false;
  return store_.StepDown(self_);
}

Result<ScheduleRow> Scheduler::RowOf(const std::string& job, const ScheduleDef& schedule,
                                     std::vector<ScheduleRow>& rows) {
  const std::string hash = DefinitionHash(schedule);
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const ScheduleRow& row) {
    return row.job == job && row.schedule == schedule.name;
  });
  if (found != rows.end() && found->definition_hash == hash) return *found;
  return store_.SeeSchedule(job, schedule.name, hash, clock_.Now());
}

Status Scheduler::Decide(const ProjectFiles& files, const Due& due, Step& step) {
  const auto& [job, schedule, row] = due;
  const WallTime now = clock_.Now();
  const std::optional<WallTime> first = schedule.timetable->Next(row.decided_up_to);
  if (!first) return Status::Ok();
  std::optional<WallTime> next = first;
  if (*first <= now) {
    TickQuestion question{.schedule = &schedule, .decided_up_to = row.decided_up_to, .now = now};
    const std::vector<RunRow> active = MUTIRAO_TRY(ActiveRuns(job.def.name, schedule.name));
    question.busy = !active.empty();
    for (const TickDecision& decision : PlanTicks(question)) {
      TickRow tick{.key = {job.def.name, schedule.name, decision.time},
                   .state = decision.launch ? TickState::kLaunched : TickState::kSkipped,
                   .decided = now,
                   .reason = decision.reason};
      std::optional<NewRun> run;
      if (decision.launch) run = MUTIRAO_TRY(RunOfTick(files, job, schedule, root_, decision.time));
      CrashPoint("schedule.deciding");
      const TickRow decided = MUTIRAO_TRY(store_.DecideTick(epoch_, tick, run));
      CrashPoint("schedule.decided");
      ++(decision.launch ? step.launched : step.skipped);
      LogInfo("schedule {}.{}: tick of {} {}", job.def.name, schedule.name,
              schedule.timetable->FormatLocal(decision.time),
              decided.run_id.empty() ? "passed over: " + decided.reason : "launched run " + decided.run_id);
    }
    next = schedule.timetable->Next(now);
  }
  if (next && (!step.next || *next < *step.next)) step.next = next;
  if (schedule.overlap == Overlap::kCancelPrevious) return CancelPrevious(job.def.name, schedule);
  return Status::Ok();
}

// Looks at what is there instead of at what was just launched, so that a death in between changes nothing.
Status Scheduler::CancelPrevious(const std::string& job, const ScheduleDef& schedule) {
  const std::vector<RunRow> active = MUTIRAO_TRY(ActiveRuns(job, schedule.name));
  if (active.size() < 2) return Status::Ok();
  const auto newest = std::max_element(active.begin(), active.end(), [](const RunRow& a, const RunRow& b) {
    return a.spec.tick->time < b.spec.tick->time;
  });
  for (const RunRow& run : active) {
    if (run.spec.id == newest->spec.id || run.cancel_asked) continue;
    MUTIRAO_TRY(store_.AskCancel(run.spec.id, fmt::format("schedule {}.{}", job, schedule.name), false));
  }
  return Status::Ok();
}

Result<std::vector<RunRow>> Scheduler::ActiveRuns(const std::string& job, const std::string& schedule) {
  RunFilter filter{.job = job,
                   .states = {RunState::kQueued, RunState::kStarting, RunState::kRunning, RunState::kCancelling},
                   .schedule = schedule,
                   .limit = 1000};
  std::vector<RunRow> runs = MUTIRAO_TRY(store_.ListRuns(filter));
  std::erase_if(runs, [](const RunRow& run) { return !run.spec.tick; });
  return runs;
}

}  // namespace mutirao::orchestration
