#include "orchestration/store/sql/event_log.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "orchestration/hooks/hook_calls.h"
#include "orchestration/run/fold.h"
#include "orchestration/store/sql/columns.h"
#include "orchestration/store/sql/runs.h"

namespace mutirao::orchestration {
namespace {

// So many rows go into one INSERT: enough to make round trips cheap, few enough to keep statements short.
constexpr size_t kRowsAtOnce = 50;

using OpRows = std::map<std::string, OpRow>;

Result<OpRows> LoadOps(SqlSession& sql, const std::string& run_id, const std::vector<Event>& events) {
  std::set<std::string> names;
  bool all = false;
  for (const Event& event : events) {
    all = all || EndsRun(event.type);
    if (!event.op.empty() && ChangesState(event.type)) names.insert(event.op);
  }
  OpRows ops;
  if (names.empty() && !all) return ops;
  std::string statement = "SELECT " + kOpColumns + " FROM ops WHERE run_id = $1";
  SqlArguments arguments{run_id};
  if (!all && names.size() <= kRowsAtOnce) {
    statement += " AND op IN (" + Placeholders(2, names.size()) + ")";
    for (const std::string& name : names) arguments.emplace_back(name);
  }
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(statement, arguments));
  for (const SqlRow& row : answer.rows) {
    OpRow op = MUTIRAO_TRY(ReadOp(row));
    std::string name = op.op;
    ops.emplace(std::move(name), std::move(op));
  }
  return ops;
}

bool Same(const OpRow& a, const OpRow& b) {
  return a.state == b.state && a.attempts == b.attempts && a.started == b.started && a.ended == b.ended &&
         a.error == b.error && a.outcome == b.outcome;
}

Status StoreOps(SqlSession& sql, const OpRows& before, const OpRows& after, int64_t place) {
  for (const auto& [name, op] : after) {
    auto old = before.find(name);
    if (old != before.end() && Same(old->second, op)) continue;
    MUTIRAO_TRY(
        sql.Run("INSERT INTO ops (run_id, op, state, attempts, started, ended, error, outcome, place) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (run_id, op) DO UPDATE SET "
                "state = excluded.state, attempts = excluded.attempts, started = excluded.started, "
                "ended = excluded.ended, error = excluded.error, outcome = excluded.outcome",
                {op.run_id, op.op, OpStateName(op.state), op.attempts, op.started, op.ended, SqlValue::OfJson(op.error),
                 SqlValue::OfJson(op.outcome), place}));
  }
  return Status::Ok();
}

Status InsertEvents(SqlSession& sql, const std::string& run_id, const std::vector<Event>& events) {
  for (size_t begin = 0; begin < events.size(); begin += kRowsAtOnce) {
    const size_t end = std::min(events.size(), begin + kRowsAtOnce);
    std::string statement = "INSERT INTO events (run_id, number, time, type, op, attempt, data) VALUES ";
    SqlArguments arguments;
    for (size_t i = begin; i < end; ++i) {
      const Event& event = events[i];
      statement += fmt::format("{}({})", i == begin ? "" : ", ", Placeholders(arguments.size() + 1, 7));
      for (SqlValue value : {SqlValue(run_id), SqlValue(event.number), SqlValue(event.time), SqlValue(event.type),
                             SqlValue(event.op), SqlValue(event.attempt), SqlValue::OfJson(event.data)}) {
        arguments.push_back(std::move(value));
      }
    }
    MUTIRAO_TRY(sql.Run(statement, arguments));
  }
  return Status::Ok();
}

// Those that the events ask for, in the same transaction: no way for a run to end goes without its hooks.
Status AddHookCalls(SqlSession& sql, const std::string& run_id, const std::vector<Event>& events) {
  if (std::none_of(events.begin(), events.end(), [](const Event& event) { return MayCallHooks(event.type); })) {
    return Status::Ok();
  }
  const RunRow run = MUTIRAO_TRY(GetRun(sql, run_id));
  for (const Event& event : events) MUTIRAO_TRY(AddOutbox(sql, HookCalls(run, event)));
  return Status::Ok();
}

}  // namespace

Result<LockedRun> LockRun(SqlSession& sql, const std::string& run_id) {
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(
      fmt::format("SELECT state, started, ended, cancel_asked, cancel_forced, leaked, claim, last_event, last_write, "
                  "last_write_event, earlier_claim, server, worker FROM runs WHERE id = $1{}",
                  sql.for_update()),
      {run_id}));
  if (answer.rows.empty()) return Status::NotFound(fmt::format("there is no run {}", run_id));
  const SqlRow& row = answer.rows[0];
  LockedRun run;
  run.row.spec.id = run_id;
  run.row.state = MUTIRAO_TRY(RunStateFromName(row.Text(0)));
  run.row.started = row.MaybeTime(1);
  run.row.ended = row.MaybeTime(2);
  run.row.cancel_asked = row.Switch(3);
  run.row.cancel_forced = row.Switch(4);
  run.row.leaked = row.Switch(5);
  run.row.claim = row.Text(6);
  run.row.last_event = row.Number(7);
  run.last_write = row.Text(8);
  run.last_write_event = row.Number(9);
  run.earlier_claim = row.Text(10);
  run.row.server = row.Process(11);
  run.row.worker = row.Process(12);
  return run;
}

Result<int64_t> AppendEvents(SqlSession& sql, LockedRun& run, const std::vector<Event>& events) {
  RunRow& row = run.row;
  const OpRows before = MUTIRAO_TRY(LoadOps(sql, row.spec.id, events));
  OpRows ops = before;
  std::vector<Event> stored;
  stored.reserve(events.size());
  const int64_t first = row.last_event + 1;
  for (const Event& given : events) {
    Event& event = stored.emplace_back(given);
    event.data = Redactor::Global().MaskTexts(std::move(event.data));
    if (event.data.is_null()) event.data = Json::object();
    MUTIRAO_TRY(Fold(event, row, ops));
    event.number = ++row.last_event;
  }
  MUTIRAO_TRY(InsertEvents(sql, row.spec.id, stored));
  MUTIRAO_TRY(StoreOps(sql, before, ops, first));
  MUTIRAO_TRY(
      sql.Run("UPDATE runs SET state = $2, started = $3, ended = $4, cancel_asked = $5, cancel_forced = $6, "
              "leaked = $7, last_event = $8, cause = coalesce($9, cause), config = coalesce($10, config) "
              "WHERE id = $1",
              {row.spec.id, RunStateName(row.state), row.started, row.ended, row.cancel_asked, row.cancel_forced,
               row.leaked, row.last_event, SqlValue::OfJson(row.cause), SqlValue::OfJson(row.config)}));
  MUTIRAO_TRY(AddHookCalls(sql, row.spec.id, stored));
  MUTIRAO_TRY(sql.Announce(row.spec.id));
  return row.last_event;
}

Status AddOutbox(SqlSession& sql, const std::vector<OutboxRow>& rows) {
  for (const OutboxRow& row : rows) {
    MUTIRAO_TRY(
        sql.Run("INSERT INTO outbox (key, kind, run_id, target, payload, attempts, next, given_up, error) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8) ON CONFLICT (key) DO NOTHING",
                {row.key, row.kind, row.run_id, SqlValue::OfJson(row.target), SqlValue::OfJson(row.payload),
                 row.attempts, row.next, row.error}));
  }
  return Status::Ok();
}

Result<int64_t> WriteRun(SqlSession& sql, const RunWrite& write) {
  LockedRun run = MUTIRAO_TRY(LockRun(sql, write.run_id));
  if (run.row.claim != write.claim || write.claim.empty()) {
    return Status::Cancelled(fmt::format("run {} was given to another", write.run_id));
  }
  if (!write.key.empty() && write.key == run.last_write) return run.last_write_event;
  const int64_t last = MUTIRAO_TRY(AppendEvents(sql, run, write.events));
  MUTIRAO_TRY(AddOutbox(sql, write.outbox));
  if (!write.key.empty()) {
    MUTIRAO_TRY(sql.Run("UPDATE runs SET last_write = $2, last_write_event = $3 WHERE id = $1",
                        {write.run_id, write.key, last}));
  }
  return last;
}

Result<std::vector<Event>> ReadEvents(SqlSession& sql, const std::string& run_id, int64_t after, int limit) {
  SqlAnswer answer = MUTIRAO_TRY(
      sql.Run("SELECT " + kEventColumns + " FROM events WHERE run_id = $1 AND number > $2 ORDER BY number LIMIT $3",
              {run_id, after, limit}));
  std::vector<Event> events;
  events.reserve(answer.rows.size());
  for (const SqlRow& row : answer.rows) events.push_back(ReadEvent(row));
  return events;
}

}  // namespace mutirao::orchestration
