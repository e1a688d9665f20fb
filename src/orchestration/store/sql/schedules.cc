#include "orchestration/store/sql/schedules.h"

#include <fmt/format.h>

#include "orchestration/store/sql/columns.h"
#include "orchestration/store/sql/runs.h"

namespace mutirao::orchestration {
namespace {

Result<std::optional<ScheduleRow>> LockSchedule(SqlSession& sql, const std::string& job, const std::string& schedule) {
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(
      fmt::format("SELECT {} FROM schedules WHERE job = $1 AND schedule = $2{}", kScheduleColumns, sql.for_update()),
      {job, schedule}));
  if (answer.rows.empty()) return std::optional<ScheduleRow>();
  return std::optional<ScheduleRow>(ReadSchedule(answer.rows[0]));
}

// A leader that was stopped and woke up again must not act: another leads with a higher epoch.
Status CheckEpoch(SqlSession& sql, int64_t epoch) {
  SqlAnswer answer =
      MUTIRAO_TRY(sql.Run(fmt::format("SELECT epoch FROM leadership WHERE place = 1{}", sql.for_update())));
  if (!answer.rows.empty() && answer.rows[0].Number(0) == epoch) return Status::Ok();
  return Status::Cancelled("another server leads now");
}

Result<std::optional<TickRow>> FindTick(SqlSession& sql, const TickKey& key) {
  SqlAnswer answer =
      MUTIRAO_TRY(sql.Run("SELECT " + kTickColumns + " FROM ticks WHERE job = $1 AND schedule = $2 AND time = $3",
                          {key.job, key.schedule, key.time}));
  if (answer.rows.empty()) return std::optional<TickRow>();
  return std::optional<TickRow>(ReadTick(answer.rows[0]));
}

}  // namespace

Result<std::vector<ScheduleRow>> ListSchedules(SqlSession& sql) {
  SqlAnswer answer = MUTIRAO_TRY(sql.Run("SELECT " + kScheduleColumns + " FROM schedules ORDER BY job, schedule"));
  std::vector<ScheduleRow> schedules;
  for (const SqlRow& row : answer.rows) schedules.push_back(ReadSchedule(row));
  return schedules;
}

Result<ScheduleRow> SeeSchedule(SqlSession& sql, const std::string& job, const std::string& schedule,
                                const std::string& definition_hash, WallTime now) {
  MUTIRAO_TRY(
      sql.Run("INSERT INTO schedules (job, schedule, enabled, decided_up_to, definition_hash) "
              "VALUES ($1, $2, 1, $3, $4) ON CONFLICT DO NOTHING",
              {job, schedule, now, definition_hash}));
  std::optional<ScheduleRow> row = MUTIRAO_TRY(LockSchedule(sql, job, schedule));
  if (!row) return Status::Unavailable(fmt::format("schedule {} of {} was deleted meanwhile", schedule, job));
  if (row->definition_hash == definition_hash) return *std::move(row);
  MUTIRAO_TRY(sql.Run("UPDATE schedules SET decided_up_to = $3, definition_hash = $4 WHERE job = $1 AND schedule = $2",
                      {job, schedule, now, definition_hash}));
  row->decided_up_to = now;
  row->definition_hash = definition_hash;
  return *std::move(row);
}

Status EnableSchedule(SqlSession& sql, const std::string& job, const std::string& schedule, bool enabled,
                      WallTime now) {
  std::optional<ScheduleRow> row = MUTIRAO_TRY(LockSchedule(sql, job, schedule));
  if (!row) return Status::NotFound(fmt::format("job {} has no schedule {}", job, schedule));
  if (row->enabled == enabled) return Status::Ok();
  // What would have been while it was off is not made up for.
  const WallTime from = enabled ? std::max(now, row->decided_up_to) : row->decided_up_to;
  MUTIRAO_TRY(sql.Run("UPDATE schedules SET enabled = $3, decided_up_to = $4 WHERE job = $1 AND schedule = $2",
                      {job, schedule, enabled, from}));
  return Status::Ok();
}

Result<TickRow> DecideTick(SqlSession& sql, int64_t epoch, const TickRow& tick, const std::optional<NewRun>& run,
                           WallTime now) {
  MUTIRAO_TRY(CheckEpoch(sql, epoch));
  std::optional<TickRow> decided = MUTIRAO_TRY(FindTick(sql, tick.key));
  if (decided) return *std::move(decided);
  std::optional<ScheduleRow> schedule = MUTIRAO_TRY(LockSchedule(sql, tick.key.job, tick.key.schedule));
  if (!schedule) {
    return Status::NotFound(fmt::format("job {} has no schedule {}", tick.key.job, tick.key.schedule));
  }
  TickRow row = tick;
  row.decided = now;
  row.state = run ? TickState::kLaunched : TickState::kSkipped;
  row.run_id.clear();
  if (tick.key.time <= schedule->decided_up_to) {
    // Its row was pruned, or it lies before the schedule's first tick: it must not fire now.
    row.state = TickState::kSkipped;
    row.reason = fmt::format("all ticks up to {} were decided before", FormatUtc(schedule->decided_up_to));
    return row;
  }
  if (run) {
    NewRun launched = *run;
    launched.tick = tick.key;
    row.reason.clear();
    Store::Added added = MUTIRAO_TRY(AddRun(sql, launched, now));
    row.run_id = added.run.spec.id;
  }
  MUTIRAO_TRY(sql.Run(
      "INSERT INTO ticks (job, schedule, time, state, decided, run_id, reason) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {row.key.job, row.key.schedule, row.key.time, TickStateName(row.state), row.decided, row.run_id, row.reason}));
  MUTIRAO_TRY(sql.Run("UPDATE schedules SET decided_up_to = $3 WHERE job = $1 AND schedule = $2",
                      {row.key.job, row.key.schedule, row.key.time}));
  return row;
}

Result<std::vector<TickRow>> ListTicks(SqlSession& sql, const std::string& job, const std::string& schedule,
                                       int limit) {
  SqlAnswer answer = MUTIRAO_TRY(
      sql.Run("SELECT " + kTickColumns + " FROM ticks WHERE job = $1 AND schedule = $2 ORDER BY time DESC LIMIT $3",
              {job, schedule, limit}));
  std::vector<TickRow> ticks;
  for (const SqlRow& row : answer.rows) ticks.push_back(ReadTick(row));
  return ticks;
}

Result<Leadership> Lead(SqlSession& sql, const ProcessIdentity& candidate, WallTime now, Duration ttl) {
  SqlAnswer answer = MUTIRAO_TRY(
      sql.Run(fmt::format("SELECT holder, epoch, expires FROM leadership WHERE place = 1{}", sql.for_update())));
  if (answer.rows.empty()) return Status::Internal("the store has no row for its leader");
  const std::optional<ProcessIdentity> holder = answer.rows[0].Process(0);
  Leadership leadership{.holder = candidate, .epoch = answer.rows[0].Number(1), .expires = answer.rows[0].Time(2)};
  if (holder && *holder != candidate && leadership.expires > now) {
    leadership.holder = *holder;
    if (leadership.expires <= now + ttl) return leadership;
    // Further away than anybody may promise: the clock was set back. Else nobody would lead until it came round.
    leadership.expires = now + ttl;
  } else {
    if (!holder || *holder != candidate) ++leadership.epoch;
    leadership.expires = now + ttl;
  }
  MUTIRAO_TRY(sql.Run("UPDATE leadership SET holder = $1, epoch = $2, expires = $3 WHERE place = 1",
                      {leadership.holder, leadership.epoch, leadership.expires}));
  return leadership;
}

Status StepDown(SqlSession& sql, const ProcessIdentity& holder) {
  MUTIRAO_TRY(sql.Run("UPDATE leadership SET holder = NULL, expires = 0 WHERE place = 1 AND holder = $1", {holder}));
  return Status::Ok();
}

}  // namespace mutirao::orchestration
