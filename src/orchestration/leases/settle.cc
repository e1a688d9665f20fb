#include "orchestration/leases/settle.h"

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/id.h"

namespace mutirao::orchestration {
namespace {

constexpr int kMostRuns = 1000;

// Who lives of the two settles it: a server the runs of its workers, whoever took over what it began to settle.
bool IsForsaken(const RunRow& run, WallTime now) {
  if (!run.worker && !run.server) return false;
  const bool worker_gone = !run.worker || IsGone(*run.worker, run.heartbeat, now);
  const bool server_gone = !run.server || IsGone(*run.server, run.heartbeat, now);
  return worker_gone && server_gone;
}

// `where`: " in op load", or nothing.
Status CauseOf(const Death& death, const std::string& where) {
  if (!death.out_of_memory.empty()) {
    return Status::Exhausted(fmt::format("out of memory: {}{}", death.out_of_memory, where))
        .Help("give the run less --memory, or the machine more");
  }
  if (!death.exit) {
    return Status::Failed(fmt::format("the run's process is gone{}; nobody saw how it ended", where))
        .Help("it was killed, or the machine was restarted: run it again");
  }
  if (death.exit->signal != 0) return Status::Failed(fmt::format("{}{}", death.exit->ToString(), where));
  return Status::Failed(fmt::format("the run's process ended with {}{}", death.exit->ToString(), where))
      .Help("code of an op must return, not exit");
}

std::string Where(const std::vector<OpRow>& ops) {
  std::vector<std::string> running;
  for (const OpRow& op : ops) {
    if (op.state == OpState::kRunning) running.push_back(op.op);
  }
  if (running.empty()) return "";
  return fmt::format(" in op{} {}", running.size() > 1 ? "s" : "", fmt::join(running, ", "));
}

Event EventOf(std::string_view type, WallTime now, Json data) {
  return {.time = now, .type = std::string(type), .data = std::move(data)};
}

}  // namespace

Status SettleDeadRun(Store& store, const ResourceKinds& kinds, const Clock& clock, const std::string& run_id,
                     const Death& death) {
  RunRow seen = MUTIRAO_TRY(store.GetRun(run_id));
  if (IsFinal(seen.state)) return Status::Cancelled(fmt::format("run {} has ended", run_id));
  // Who called it dead may have looked before its worker began.
  if (seen.worker && LookFor(*seen.worker) == Liveness::kAlive) {
    return Status::Cancelled(fmt::format("the worker of run {} lives", run_id));
  }
  RunRow run = MUTIRAO_TRY(store.TakeOver(seen, ThisProcess()));
  CrashPoint("settle.taken");
  std::vector<Reaped> reaped = MUTIRAO_TRY(ReapDeadLeases(store, kinds, clock, {.run_id = run_id, .now_all = true}));
  CrashPoint("settle.reaped");
  std::vector<OpRow> ops = MUTIRAO_TRY(store.GetOps(run_id));

  RunWrite write{.run_id = run_id, .claim = run.claim, .key = RandomHex(16)};
  const WallTime now = clock.Now();
  bool leaked = run.leaked;
  for (const Reaped& lease : reaped) {
    if (lease.error.ok()) continue;
    leaked = true;
    write.events.push_back(EventOf(
        event::kResourceLeaked, now,
        {{"resource", lease.lease.resource}, {"lease", lease.lease.name}, {"error", ErrorToJson(lease.error)}}));
  }
  const Status cause = CauseOf(death, Where(ops));
  const bool cancelled = run.cancel_asked;
  for (const OpRow& op : ops) {
    if (op.state != OpState::kRunning) continue;
    Event event = EventOf(cancelled ? event::kOpCancelled : event::kOpFailed, now, {{"error", ErrorToJson(cause)}});
    event.op = op.op;
    event.attempt = op.attempts;
    write.events.push_back(std::move(event));
  }
  Json data = {{"leaked", leaked}, {"cause", ErrorToJson(cause)}};
  if (run.started) data["seconds"] = std::max(0.0, std::chrono::duration<double>(now - *run.started).count());
  write.events.push_back(EventOf(cancelled ? event::kRunCancelled : event::kRunFailed, now, std::move(data)));
  MUTIRAO_TRY(store.Write(write));
  return Status::Ok();
}

Result<std::vector<std::string>> SettleDeadRuns(Store& store, const ResourceKinds& kinds, const Clock& clock) {
  RunFilter filter{.states = {RunState::kStarting, RunState::kRunning, RunState::kCancelling}, .limit = kMostRuns};
  std::vector<RunRow> runs = MUTIRAO_TRY(store.ListRuns(filter));
  std::vector<std::string> settled;
  for (const RunRow& run : runs) {
    const bool of_server = !run.worker && !run.spec.request.value("local", false);
    if (of_server || !IsForsaken(run, clock.Now())) continue;
    Status status = SettleDeadRun(store, kinds, clock, run.spec.id, {});
    if (status.ok()) settled.push_back(run.spec.id);
    if (!status.ok() && status.code() != StatusCode::kCancelled) return status;
  }
  return settled;
}

}  // namespace mutirao::orchestration
