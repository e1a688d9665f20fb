#include "orchestration/store/sql/runs.h"

#include <fmt/format.h>

#include "base/id.h"
#include "orchestration/store/sql/columns.h"
#include "orchestration/store/sql/event_log.h"

namespace mutirao::orchestration {
namespace {

Status CheckNewRun(const NewRun& run) {
  if (!IsRunId(run.id)) return Status::Invalid(fmt::format("\"{}\" is not the id of a run", run.id));
  if (run.job.empty()) return Status::Invalid(fmt::format("run {} has no job", run.id));
  return Status::Ok();
}

// One that has the id, the key or the tick of a new run.
Result<std::optional<RunRow>> FindSame(SqlSession& sql, const NewRun& run) {
  std::string statement = "SELECT " + kRunColumns + " FROM runs WHERE id = $1";
  SqlArguments arguments{run.id};
  if (!run.idempotency_key.empty()) {
    arguments.emplace_back(run.idempotency_key);
    statement += fmt::format(" OR idempotency_key = ${}", arguments.size());
  }
  if (run.tick) {
    arguments.insert(arguments.end(), {run.tick->job, run.tick->schedule, run.tick->time});
    statement += fmt::format(" OR (tick_job = ${} AND tick_schedule = ${} AND tick_time = ${})", arguments.size() - 2,
                             arguments.size() - 1, arguments.size());
  }
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(statement, arguments));
  if (answer.rows.empty()) return std::optional<RunRow>();
  RunRow same = MUTIRAO_TRY(ReadRun(answer.rows[0]));
  return std::optional<RunRow>(std::move(same));
}

Result<bool> InsertRun(SqlSession& sql, const NewRun& run, WallTime now) {
  Json resources = Json::array();
  for (const std::string& resource : run.resources) resources.push_back(resource);
  const std::optional<TickKey>& tick = run.tick;
  SqlArguments arguments{run.id,
                         run.job,
                         RunStateName(RunState::kQueued),
                         run.priority,
                         now,
                         run.not_before,
                         run.root_id.empty() ? run.id : run.root_id,
                         run.parent_id,
                         tick ? SqlValue(tick->job) : SqlValue(),
                         tick ? SqlValue(tick->schedule) : SqlValue(),
                         tick ? SqlValue(tick->time) : SqlValue(),
                         run.partition,
                         SqlValue::OfText(run.idempotency_key),
                         SqlValue::OfJson(run.tags.is_null() ? Json::object() : run.tags),
                         SqlValue::OfJson(resources),
                         run.job_file,
                         run.project_root,
                         SqlValue::OfJson(run.request.is_null() ? Json::object() : run.request)};
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(
      fmt::format("INSERT INTO runs (id, job, state, priority, queued, not_before, root_id, parent_id, tick_job, "
                  "tick_schedule, tick_time, partition_key, idempotency_key, tags, resources, job_file, project_root, "
                  "request, last_event, cancel_asked, cancel_forced, leaked, claim, earlier_claim, last_write, "
                  "last_write_event) VALUES ({}, 0, 0, 0, 0, '', '', '', 0) ON CONFLICT DO NOTHING",
                  Placeholders(1, arguments.size())),
      arguments));
  return answer.changed > 0;
}

}  // namespace

Result<Store::Added> AddRun(SqlSession& sql, const NewRun& run, WallTime now) {
  MUTIRAO_TRY(CheckNewRun(run));
  const bool inserted = MUTIRAO_TRY(InsertRun(sql, run, now));
  if (inserted) {
    LockedRun locked = MUTIRAO_TRY(LockRun(sql, run.id));
    const Event queued{.time = now, .type = std::string(event::kRunQueued), .data = {{"request", run.request}}};
    MUTIRAO_TRY(AppendEvents(sql, locked, {queued}));
  }
  std::optional<RunRow> row = MUTIRAO_TRY(FindSame(sql, run));
  if (!row) return Status::Unavailable(fmt::format("run {} was deleted while it was added", run.id));
  // The id is the caller's own: a run that has it was stored by an earlier try of the same call.
  const bool is_new = row->spec.id == run.id;
  return Store::Added{.run = *std::move(row), .is_new = is_new};
}

Result<RunRow> GetRun(SqlSession& sql, const std::string& run_id) {
  SqlAnswer answer = MUTIRAO_TRY(sql.Run("SELECT " + kRunColumns + " FROM runs WHERE id = $1", {run_id}));
  if (answer.rows.empty()) return Status::NotFound(fmt::format("there is no run {}", run_id));
  return ReadRun(answer.rows[0]);
}

Result<std::vector<OpRow>> GetOps(SqlSession& sql, const std::string& run_id) {
  SqlAnswer answer =
      MUTIRAO_TRY(sql.Run("SELECT " + kOpColumns + " FROM ops WHERE run_id = $1 ORDER BY place, op", {run_id}));
  std::vector<OpRow> ops;
  for (const SqlRow& row : answer.rows) {
    OpRow op = MUTIRAO_TRY(ReadOp(row));
    ops.push_back(std::move(op));
  }
  return ops;
}

Result<std::vector<RunRow>> ListRuns(SqlSession& sql, const RunFilter& filter) {
  std::string where;
  SqlArguments arguments;
  auto demand = [&](std::string_view condition, const std::string& value) {
    if (value.empty()) return;
    arguments.emplace_back(value);
    where += fmt::format(fmt::runtime(" AND " + std::string(condition)), arguments.size());
  };
  demand("job = ${}", filter.job);
  demand("root_id = ${}", filter.root_id);
  demand("tick_schedule = ${}", filter.schedule);
  // Ids sort by time, which does for a run that is not there any more.
  demand(
      "place < coalesce((SELECT place FROM runs WHERE id = ${0}), "
      "(SELECT max(place) + 1 FROM runs WHERE id < ${0}), 0)",
      filter.before_id);
  if (!filter.states.empty()) {
    where += " AND state IN (" + Placeholders(arguments.size() + 1, filter.states.size()) + ")";
    for (RunState state : filter.states) arguments.emplace_back(RunStateName(state));
  }
  arguments.emplace_back(filter.limit);
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(fmt::format("SELECT {} FROM runs WHERE 1 = 1{} ORDER BY place DESC LIMIT ${}",
                                                     kRunColumns, where, arguments.size()),
                                         arguments));
  std::vector<RunRow> runs;
  for (const SqlRow& row : answer.rows) {
    RunRow run = MUTIRAO_TRY(ReadRun(row));
    runs.push_back(std::move(run));
  }
  return runs;
}

Result<RunRow> AskCancel(SqlSession& sql, const std::string& run_id, const std::string& by, bool force, WallTime now) {
  LockedRun run = MUTIRAO_TRY(LockRun(sql, run_id));
  const bool tells_more = !run.row.cancel_asked || (force && !run.row.cancel_forced);
  if (!IsFinal(run.row.state) && tells_more) {
    std::vector<Event> events{
        {.time = now, .type = std::string(event::kRunCancelAsked), .data = {{"by", by}, {"force", force}}}};
    if (run.row.state == RunState::kQueued) {
      Json cause = {{"code", StatusCodeName(StatusCode::kCancelled)},
                    {"message", fmt::format("cancelled by {} before it started", by)}};
      events.push_back({.time = now,
                        .type = std::string(event::kRunCancelled),
                        .data = {{"seconds", 0}, {"leaked", false}, {"cause", std::move(cause)}}});
    }
    MUTIRAO_TRY(AppendEvents(sql, run, events));
  }
  return GetRun(sql, run_id);
}

}  // namespace mutirao::orchestration
