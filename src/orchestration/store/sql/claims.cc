#include "orchestration/store/sql/claims.h"

#include <fmt/format.h>

#include "orchestration/store/queue_slots.h"
#include "orchestration/store/sql/columns.h"
#include "orchestration/store/sql/event_log.h"
#include "orchestration/store/sql/runs.h"

namespace mutirao::orchestration {
namespace {

// So many queued runs are looked at at once: most often the first may start.
constexpr int kPage = 100;

struct Queued {
  SlotUser user;
  std::optional<WallTime> not_before;
  int64_t priority = 0;
  int64_t place = 0;
};

Queued ReadQueued(const SqlRow& row) {
  Queued queued{.user = {.run_id = row.Text(0), .tags = row.Document(1)},
                .not_before = row.MaybeTime(3),
                .priority = row.Number(4),
                .place = row.Number(5)};
  for (const Json& resource : row.Document(2)) {
    if (resource.is_string()) queued.user.resources.push_back(resource.get<std::string>());
  }
  return queued;
}

constexpr const char* kQueuedColumns = "id, tags, resources, not_before, priority, place";

Status AppendQueued(SqlSession& sql, const std::string& condition, const SqlArguments& arguments,
                    std::vector<Queued>& page) {
  SqlAnswer answer = MUTIRAO_TRY(
      sql.Run(fmt::format("SELECT {} FROM runs WHERE state = 'queued'{} ORDER BY priority DESC, place LIMIT $1",
                          kQueuedColumns, condition),
              arguments));
  for (const SqlRow& row : answer.rows) page.push_back(ReadQueued(row));
  return Status::Ok();
}

// The page of the queue behind a run, in the order in which runs are to start. Two statements, since the index gives
// each its rows at once; for `priority < x or (priority = x and place > y)` all rows before the page would be read.
Result<std::vector<Queued>> ReadQueue(SqlSession& sql, const Queued* last) {
  std::vector<Queued> page;
  if (!last) {
    MUTIRAO_TRY(AppendQueued(sql, "", {kPage}, page));
    return page;
  }
  MUTIRAO_TRY(AppendQueued(sql, " AND priority = $2 AND place > $3", {kPage, last->priority, last->place}, page));
  const int rest = kPage - static_cast<int>(page.size());
  if (rest > 0) MUTIRAO_TRY(AppendQueued(sql, " AND priority < $2", {rest, last->priority}, page));
  return page;
}

Status TakeSlotsOfActive(SqlSession& sql, QueueSlots& slots) {
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(
      fmt::format("SELECT {} FROM runs WHERE ended IS NULL AND state <> 'queued' ORDER BY place", kQueuedColumns)));
  for (const SqlRow& row : answer.rows) slots.Take(ReadQueued(row).user);
  return Status::Ok();
}

// Give a queued run, whose row is locked, to a server.
Status Start(SqlSession& sql, LockedRun& run, const std::string& claim, const ProcessIdentity& server, WallTime now) {
  MUTIRAO_TRY(sql.Run("UPDATE runs SET claim = $2, server = $3, heartbeat = $4 WHERE id = $1",
                      {run.row.spec.id, claim, server, now}));
  const Event starting{.time = now, .type = std::string(event::kRunStarting), .data = {{"server", server.ToJson()}}};
  MUTIRAO_TRY(AppendEvents(sql, run, {starting}));
  return Status::Ok();
}

Result<std::optional<RunRow>> FindByClaim(SqlSession& sql, const std::string& claim) {
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(
      "SELECT " + kRunColumns + " FROM runs WHERE ended IS NULL AND state <> 'queued' AND claim = $1", {claim}));
  if (answer.rows.empty()) return std::optional<RunRow>();
  RunRow run = MUTIRAO_TRY(ReadRun(answer.rows[0]));
  return std::optional<RunRow>(std::move(run));
}

// The first run, in order, that the limits let start.
Result<std::optional<std::string>> FirstThatMayStart(SqlSession& sql, const QueueSlots& slots, WallTime now) {
  std::optional<Queued> last;
  while (true) {
    std::vector<Queued> page = MUTIRAO_TRY(ReadQueue(sql, last ? &*last : nullptr));
    for (const Queued& queued : page) {
      if (queued.not_before && *queued.not_before > now) continue;
      if (!slots.Check(queued.user)) return std::optional<std::string>(queued.user.run_id);
    }
    if (page.size() < kPage) return std::optional<std::string>();
    last = page.back();
  }
}

Status WasGivenAway(const std::string& run_id) {
  return Status::Cancelled(fmt::format("run {} was given to another", run_id));
}

Status StoreOpsAsPending(SqlSession& sql, const std::string& run_id, const std::vector<std::string>& ops) {
  int64_t place = 0;
  for (const std::string& op : ops) {
    MUTIRAO_TRY(
        sql.Run("INSERT INTO ops (run_id, op, place, state, attempts) VALUES ($1, $2, $3, $4, 0) "
                "ON CONFLICT DO NOTHING",
                {run_id, op, ++place, OpStateName(OpState::kPending)}));
  }
  return Status::Ok();
}

}  // namespace

Result<std::optional<RunRow>> ClaimNextRun(SqlSession& sql, const std::string& claim, const ProcessIdentity& server,
                                           const QueueLimits& limits, WallTime now) {
  MUTIRAO_TRY(sql.Run(fmt::format("SELECT place FROM queue_turn{}", sql.for_update())));
  std::optional<RunRow> taken = MUTIRAO_TRY(FindByClaim(sql, claim));
  if (taken) return taken;
  QueueSlots slots(limits);
  MUTIRAO_TRY(TakeSlotsOfActive(sql, slots));
  if (slots.full()) return std::optional<RunRow>();
  while (true) {
    std::optional<std::string> next = MUTIRAO_TRY(FirstThatMayStart(sql, slots, now));
    if (!next) return std::optional<RunRow>();
    LockedRun run = MUTIRAO_TRY(LockRun(sql, *next));
    // It may have been cancelled, or claimed by its name, since it was looked at.
    if (run.row.state != RunState::kQueued) continue;
    MUTIRAO_TRY(Start(sql, run, claim, server, now));
    RunRow row = MUTIRAO_TRY(GetRun(sql, *next));
    return std::optional<RunRow>(std::move(row));
  }
}

Result<RunRow> ClaimRun(SqlSession& sql, const std::string& claim, const std::string& run_id,
                        const ProcessIdentity& server, WallTime now) {
  LockedRun run = MUTIRAO_TRY(LockRun(sql, run_id));
  const bool by_same = run.row.state == RunState::kStarting && run.row.server == server && !run.row.worker;
  if (run.row.state != RunState::kQueued && !by_same) {
    return Status::Cancelled(fmt::format("run {} is {}, not queued", run_id, RunStateName(run.row.state)));
  }
  if (!by_same) MUTIRAO_TRY(Start(sql, run, claim, server, now));
  return GetRun(sql, run_id);
}

Result<std::vector<WaitReason>> ExplainQueue(SqlSession& sql, const QueueLimits& limits, WallTime now) {
  QueueSlots slots(limits);
  MUTIRAO_TRY(TakeSlotsOfActive(sql, slots));
  std::vector<WaitReason> reasons;
  std::optional<Queued> last;
  while (true) {
    std::vector<Queued> page = MUTIRAO_TRY(ReadQueue(sql, last ? &*last : nullptr));
    for (Queued& queued : page) {
      WaitReason& why = reasons.emplace_back();
      why.run_id = queued.user.run_id;
      why.place = static_cast<int>(reasons.size());
      if (queued.not_before && *queued.not_before > now) {
        why.reason = fmt::format("it is not to start before {}", FormatUtc(*queued.not_before));
        continue;
      }
      if (std::optional<QueueSlots::Obstacle> obstacle = slots.Check(queued.user)) {
        why.reason = std::move(obstacle->reason);
        why.held_by = std::move(obstacle->held_by);
        continue;
      }
      why.reason = "it starts as soon as a server looks at the queue";
      slots.Take(queued.user);
    }
    if (page.size() < kPage) return reasons;
    last = page.back();
  }
}

Result<RunRow> BeginRun(SqlSession& sql, const std::string& run_id, const std::string& claim,
                        const ProcessIdentity& worker, const Json& config, const std::vector<std::string>& ops,
                        WallTime now) {
  LockedRun run = MUTIRAO_TRY(LockRun(sql, run_id));
  if (run.row.claim != claim || claim.empty()) return WasGivenAway(run_id);
  if (run.row.state == RunState::kRunning && run.row.worker == worker) return GetRun(sql, run_id);
  if (run.row.state != RunState::kStarting) {
    return Status::Cancelled(fmt::format("run {} is {}, not starting", run_id, RunStateName(run.row.state)));
  }
  MUTIRAO_TRY(sql.Run("UPDATE runs SET worker = $2, heartbeat = $3 WHERE id = $1", {run_id, worker, now}));
  const Event started{.time = now,
                      .type = std::string(event::kRunStarted),
                      .data = {{"worker", worker.ToJson()}, {"ops", ops}, {"config", config}}};
  MUTIRAO_TRY(AppendEvents(sql, run, {started}));
  MUTIRAO_TRY(StoreOpsAsPending(sql, run_id, ops));
  return GetRun(sql, run_id);
}

Status Heartbeat(SqlSession& sql, const ProcessIdentity& process, WallTime now) {
  MUTIRAO_TRY(
      sql.Run("UPDATE runs SET heartbeat = $2 WHERE ended IS NULL AND "
              "(worker = $1 OR (worker IS NULL AND server = $1))",
              {process, now}));
  MUTIRAO_TRY(sql.Run("UPDATE leases SET heartbeat = $2 WHERE owner = $1 AND state <> 'closed'", {process, now}));
  return Status::Ok();
}

Result<RunRow> TakeOver(SqlSession& sql, const std::string& claim, const RunRow& seen, const ProcessIdentity& by,
                        WallTime now) {
  const std::string& run_id = seen.spec.id;
  const std::string& old_claim = seen.claim;
  LockedRun run = MUTIRAO_TRY(LockRun(sql, run_id));
  const bool done_before = run.earlier_claim == old_claim && run.row.server == by && !old_claim.empty();
  if (done_before && !IsFinal(run.row.state)) return GetRun(sql, run_id);
  if (run.row.claim != old_claim || old_claim.empty()) return WasGivenAway(run_id);
  if (IsFinal(run.row.state)) {
    return Status::Cancelled(fmt::format("run {} has {}", run_id, RunStateName(run.row.state)));
  }
  // A worker needs no new claim to begin: who saw none may be late.
  if (run.row.worker != seen.worker) {
    return Status::Cancelled(fmt::format("a worker began run {} meanwhile", run_id));
  }
  MUTIRAO_TRY(sql.Run("UPDATE runs SET claim = $2, earlier_claim = $3, server = $4, heartbeat = $5 WHERE id = $1",
                      {run_id, claim, old_claim, by, now}));
  return GetRun(sql, run_id);
}

}  // namespace mutirao::orchestration
