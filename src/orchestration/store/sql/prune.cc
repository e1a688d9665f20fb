#include "orchestration/store/sql/prune.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "orchestration/store/sql/columns.h"

namespace mutirao::orchestration {
namespace {

// Runs that go in one transaction; each may have many events.
constexpr size_t kRunsAtOnce = 20;

// Runs that ended, own nothing and owe no message.
constexpr const char* kMayGo =
    "ended IS NOT NULL AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.run_id = runs.id AND leases.state <> "
    "'closed') "
    "AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.run_id = runs.id AND outbox.sent IS NULL AND "
    "outbox.given_up = 0)";

Status CollectIds(SqlSession& sql, const std::string& statement, const SqlArguments& arguments,
                  std::set<std::string>& ids) {
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(statement, arguments));
  for (const SqlRow& row : answer.rows) ids.insert(row.Text(0));
  return Status::Ok();
}

Result<std::set<std::string>> RunsToGo(SqlSession& sql, const Retention& retention, WallTime now) {
  std::set<std::string> ids;
  if (retention.runs_age) {
    MUTIRAO_TRY(CollectIds(sql, fmt::format("SELECT id FROM runs WHERE ended < $1 AND {}", kMayGo),
                           {now - *retention.runs_age}, ids));
  }
  if (retention.runs_count) {
    MUTIRAO_TRY(CollectIds(sql,
                           fmt::format("SELECT id FROM (SELECT id, ended, row_number() OVER (PARTITION BY job ORDER BY "
                                       "place DESC) AS newest FROM runs) AS runs WHERE newest > $1 AND {}",
                                       kMayGo),
                           {std::max(*retention.runs_count, 0)}, ids));
  }
  return ids;
}

Status DeleteRuns(SqlDatabase& database, const std::vector<std::string>& ids) {
  for (size_t begin = 0; begin < ids.size(); begin += kRunsAtOnce) {
    const size_t count = std::min(kRunsAtOnce, ids.size() - begin);
    SqlArguments arguments(ids.begin() + static_cast<ptrdiff_t>(begin),
                           ids.begin() + static_cast<ptrdiff_t>(begin + count));
    const std::string list = Placeholders(1, count);
    MUTIRAO_TRY(database.Change([&](SqlSession& sql) -> Status {
      for (const char* table : {"events", "ops", "outbox", "leases"}) {
        MUTIRAO_TRY(sql.Run(fmt::format("DELETE FROM {} WHERE run_id IN ({})", table, list), arguments));
      }
      MUTIRAO_TRY(sql.Run(fmt::format("DELETE FROM runs WHERE id IN ({})", list), arguments));
      return Status::Ok();
    }));
  }
  return Status::Ok();
}

Result<int64_t> CountOrDelete(SqlDatabase& database, const std::string& from, const SqlArguments& arguments,
                              bool dry_run) {
  int64_t count = 0;
  MUTIRAO_TRY(database.Read([&](SqlSession& sql) -> Status {
    SqlAnswer answer = MUTIRAO_TRY(sql.Run("SELECT count(*) FROM " + from, arguments));
    count = answer.rows[0].Number(0);
    return Status::Ok();
  }));
  if (dry_run || count == 0) return count;
  MUTIRAO_TRY(database.Change([&](SqlSession& sql) -> Status {
    SqlAnswer answer = MUTIRAO_TRY(sql.Run("DELETE FROM " + from, arguments));
    count = answer.changed;
    return Status::Ok();
  }));
  return count;
}

}  // namespace

Result<PruneResult> Prune(SqlDatabase& database, const Retention& retention, WallTime now, bool dry_run) {
  PruneResult result;
  std::set<std::string> ids;
  MUTIRAO_TRY(database.Read([&](SqlSession& sql) -> Status {
    ids = MUTIRAO_TRY(RunsToGo(sql, retention, now));
    return Status::Ok();
  }));
  result.runs.assign(ids.begin(), ids.end());
  if (!dry_run) MUTIRAO_TRY(DeleteRuns(database, result.runs));
  if (retention.ticks_age) {
    // The newest of a schedule stays, and so does what is not decided for good: no tick can fire a second time.
    result.ticks = MUTIRAO_TRY(
        CountOrDelete(database,
                      "ticks WHERE time < $1 AND EXISTS (SELECT 1 FROM schedules s WHERE s.job = ticks.job AND "
                      "s.schedule = ticks.schedule AND s.decided_up_to > ticks.time)",
                      {now - *retention.ticks_age}, dry_run));
  }
  if (retention.outbox_age) {
    result.outbox =
        MUTIRAO_TRY(CountOrDelete(database, "outbox WHERE (sent IS NOT NULL OR given_up <> 0) AND next < $1",
                                  {now - *retention.outbox_age}, dry_run));
  }
  if (retention.runs_age) {
    result.leases = MUTIRAO_TRY(
        CountOrDelete(database,
                      "leases WHERE state = 'closed' AND changed < $1 AND NOT EXISTS (SELECT 1 FROM runs WHERE "
                      "runs.id = leases.run_id)",
                      {now - *retention.runs_age}, dry_run));
  }
  if (!dry_run) MUTIRAO_TRY(database.Shrink());
  return result;
}

Result<Json> Statistics(SqlSession& sql) {
  Json json;
  Json& runs = json["runs"] = Json::object();
  for (int state = 0; state <= static_cast<int>(RunState::kCancelled); ++state) {
    runs[std::string(RunStateName(static_cast<RunState>(state)))] = 0;
  }
  int64_t events = 0;
  SqlAnswer states =
      MUTIRAO_TRY(sql.Run("SELECT state, count(*), CAST(sum(last_event) AS BIGINT) FROM runs GROUP BY state"));
  for (const SqlRow& row : states.rows) {
    runs[row.Text(0)] = row.Number(1);
    events += row.Number(2);
  }
  json["events"] = events;
  SqlAnswer leases = MUTIRAO_TRY(sql.Run("SELECT count(*) FROM leases WHERE state <> 'closed'"));
  json["open_leases"] = leases.rows[0].Number(0);
  SqlAnswer waiting = MUTIRAO_TRY(sql.Run("SELECT count(*) FROM outbox WHERE sent IS NULL AND given_up = 0"));
  json["waiting_messages"] = waiting.rows[0].Number(0);
  return json;
}

}  // namespace mutirao::orchestration
