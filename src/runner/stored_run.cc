#include "runner/stored_run.h"

#include <fmt/format.h>

#include "base/id.h"
#include "base/log.h"
#include "orchestration/config/request.h"
#include "orchestration/resource/known_kinds.h"
#include "orchestration/run/make_run_plan.h"
#include "runner/run_json.h"

namespace mutirao::runner {
namespace {

using orchestration::LoadedJob;
using orchestration::OpOutcomes;
using orchestration::OpRow;
using orchestration::OpState;
using orchestration::RunRow;
using orchestration::RunState;
using orchestration::Store;

// Results of the parent's ops that a re-run does not do again. A result that the parent itself took over counts too.
Result<OpOutcomes> ParentOutcomes(Store& store, const RunRow& run) {
  OpOutcomes outcomes;
  const Json& request = run.spec.request;
  const bool takes_over = orchestration::FromFailure(request) || !orchestration::OnlyOf(request).empty();
  if (run.spec.parent_id.empty() || !takes_over) return outcomes;
  std::vector<OpRow> ops = MUTIRAO_TRY(store.GetOps(run.spec.parent_id));
  for (OpRow& op : ops) {
    const bool taken = op.state == OpState::kSkipped && !op.outcome.is_null();
    if (op.state == OpState::kSucceeded || taken) outcomes[op.op] = std::move(op.outcome);
  }
  return outcomes;
}

// From failure, all that succeeded is left out; with a selection, what is not selected.
std::map<std::string, std::string> TakenOver(const RunRow& run, const std::set<std::string>& selected,
                                             const OpOutcomes& outcomes) {
  std::map<std::string, std::string> taken;
  for (const auto& [op, outcome] : outcomes) {
    const bool runs_again = selected.contains(op) && !orchestration::FromFailure(run.spec.request);
    if (!runs_again) taken[op] = run.spec.parent_id;
  }
  return taken;
}

// A run that was asked to stop before its worker began ends here.
Status EndCancelled(Store& store, const std::string& run_id, const std::string& claim) {
  RunRow now = MUTIRAO_TRY(store.GetRun(run_id));
  if (now.claim != claim || now.state != RunState::kCancelling) {
    return Status::Cancelled(fmt::format("run {} was given to another process", run_id));
  }
  Status cause = Status::Cancelled(fmt::format("run {} was asked to stop before it began", run_id));
  orchestration::Event event{.time = Clock::System().Now(), .type = std::string(orchestration::event::kRunCancelled)};
  event.data = {{"seconds", 0.0}, {"leaked", false}, {"cause", orchestration::ErrorToJson(cause)}};
  MUTIRAO_TRY(store.Write({.run_id = run_id, .claim = claim, .events = {std::move(event)}, .key = RandomHex(16)}));
  return cause;
}

}  // namespace

Status FailBeforeBegin(Store& store, const RunRow& claimed, const Status& cause) {
  orchestration::Event event{.time = Clock::System().Now(), .type = std::string(orchestration::event::kRunFailed)};
  event.data = {{"seconds", 0.0}, {"leaked", false}, {"cause", orchestration::ErrorToJson(cause)}};
  MUTIRAO_TRY(store.Write(
      {.run_id = claimed.spec.id, .claim = claimed.claim, .events = {std::move(event)}, .key = RandomHex(16)}));
  return Status::Ok();
}

StoredRun::StoredRun(Store& store, const LoadedJob& job, std::string run_id, std::string claim, RunEvents& events,
                     Options options)
    : store_(store),
      job_(job),
      run_id_(std::move(run_id)),
      claim_(std::move(claim)),
      options_(std::move(options)),
      journal_(&store, run_id_, claim_, {.clock = options_.clock}),
      events_(events, journal_),
      executor_(job, events_),
      resources_(job, orchestration::KnownResourceKinds(),
                 {.run_id = run_id_, .folder = options_.folder, .store = &store, .clock = options_.clock}) {}

Result<std::unique_ptr<StoredRun>> StoredRun::Begin(Store& store, const LoadedJob& job, const RunRow& claimed,
                                                    const std::set<std::string>& selected, RunEvents& events,
                                                    Options options) {
  const std::string& run_id = claimed.spec.id;
  std::unique_ptr<StoredRun> run(new StoredRun(store, job, run_id, claimed.claim, events, std::move(options)));
  OpOutcomes outcomes = MUTIRAO_TRY(ParentOutcomes(store, claimed));
  std::map<std::string, std::string> taken = TakenOver(claimed, selected, outcomes);
  orchestration::RunPlan plan =
      MUTIRAO_TRY(orchestration::MakeRunPlan(job, orchestration::KnownResourceKinds(), run_id, selected, taken));
  std::erase_if(outcomes, [&](const auto& entry) { return !taken.contains(entry.first); });
  std::vector<std::string> ops;
  for (const orchestration::RunPlan::Op& op : plan.ops) ops.push_back(op.name);
  const Json config = Redactor::Global().MaskTexts(LaunchToJson(job));
  Result<RunRow> begun = store.BeginRun(run_id, claimed.claim, ThisProcess(), config, ops);
  if (!begun.ok() && begun.status().code() == StatusCode::kCancelled) {
    return EndCancelled(store, run_id, claimed.claim);
  }
  MUTIRAO_TRY(begun);
  run->driver_ = std::make_unique<orchestration::RunDriver>(
      job.def, std::move(plan), run->executor_, &run->resources_, &run->journal_,
      orchestration::RunDriver::Options{.clock = run->options_.clock,
                                        .folder = run->options_.folder,
                                        .observer = &run->events_,
                                        .taken_outcomes = std::move(outcomes),
                                        .on_stuck = run->options_.on_stuck});
  return run;
}

orchestration::RunRecord StoredRun::Run() {
  orchestration::RunPulse pulse(store_, *options_.clock, run_id_, claim_, *driver_);
  return driver_->Run();
}

void StoredRun::Cancel(const std::string& by, bool force) {
  driver_->Cancel(fmt::format("stopped by {}", by), force);
  Result<RunRow> asked = store_.AskCancel(run_id_, by, force);
  if (!asked.ok()) LogInfo("the store was not told that {} asked to stop: {}", by, asked.status().ToString());
}

}  // namespace mutirao::runner
