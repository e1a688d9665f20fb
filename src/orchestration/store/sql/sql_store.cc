#include "orchestration/store/sql/sql_store.h"

#include <algorithm>
#include <concepts>

#include "base/id.h"
#include "orchestration/store/sql/claims.h"
#include "orchestration/store/sql/event_log.h"
#include "orchestration/store/sql/leases.h"
#include "orchestration/store/sql/outbox.h"
#include "orchestration/store/sql/prune.h"
#include "orchestration/store/sql/runs.h"
#include "orchestration/store/sql/schedules.h"

// Member functions and the scripts that they call have the same names.
namespace script = mutirao::orchestration;

namespace mutirao::orchestration {
namespace {

template <typename T>
Status Keep(Result<T>&& result, std::optional<T>& kept) {
  if (!result.ok()) return std::move(result).status();
  kept = std::move(result).value();
  return Status::Ok();
}

// Run a script in a transaction and give what it gave, from the try that was committed.
template <typename Script>
auto Changed(SqlDatabase& database, Script script) -> std::invoke_result_t<Script, SqlSession&> {
  if constexpr (std::same_as<std::invoke_result_t<Script, SqlSession&>, Status>) {
    return database.Change(script);
  } else {
    std::optional<typename std::invoke_result_t<Script, SqlSession&>::ValueType> kept;
    MUTIRAO_TRY(database.Change([&](SqlSession& sql) { return Keep(script(sql), kept); }));
    return *std::move(kept);
  }
}

template <typename Script>
auto Found(SqlDatabase& database, Script script) -> std::invoke_result_t<Script, SqlSession&> {
  std::optional<typename std::invoke_result_t<Script, SqlSession&>::ValueType> kept;
  MUTIRAO_TRY(database.Read([&](SqlSession& sql) { return Keep(script(sql), kept); }));
  return *std::move(kept);
}

std::string NewClaim() {
  return RandomHex(16);
}

}  // namespace

SqlStore::SqlStore(std::unique_ptr<SqlDatabase> database, const Clock* clock)
    : database_(std::move(database)), clock_(clock) {}

std::string SqlStore::Describe() const {
  return database_->Describe();
}

Result<Store::Added> SqlStore::AddRun(const NewRun& run) {
  const WallTime now = clock_->Now();
  return Changed(*database_, [&](SqlSession& sql) { return script::AddRun(sql, run, now); });
}

Result<RunRow> SqlStore::GetRun(const std::string& run_id) {
  return Found(*database_, [&](SqlSession& sql) { return script::GetRun(sql, run_id); });
}

Result<std::vector<OpRow>> SqlStore::GetOps(const std::string& run_id) {
  return Found(*database_, [&](SqlSession& sql) { return script::GetOps(sql, run_id); });
}

Result<std::vector<RunRow>> SqlStore::ListRuns(const RunFilter& filter) {
  return Found(*database_, [&](SqlSession& sql) { return script::ListRuns(sql, filter); });
}

Result<int64_t> SqlStore::Write(const RunWrite& write) {
  if (!write.key.empty()) return Changed(*database_, [&](SqlSession& sql) { return WriteRun(sql, write); });
  // The database may have to repeat it.
  RunWrite named = write;
  named.key = RandomHex(16);
  return Changed(*database_, [&](SqlSession& sql) { return WriteRun(sql, named); });
}

Result<std::vector<Event>> SqlStore::ReadEvents(const std::string& run_id, int64_t after, int limit) {
  return Found(*database_, [&](SqlSession& sql) { return script::ReadEvents(sql, run_id, after, limit); });
}

Status SqlStore::WaitForEvents(const std::string& run_id, int64_t after, Duration timeout, std::stop_token stop) {
  // Should an announcement be lost, this is how late it is seen.
  constexpr std::chrono::seconds kLookAnyway{2};
  const auto until = std::chrono::steady_clock::now() + timeout;
  Announcements* announcements = MUTIRAO_TRY(database_->Listen());
  while (true) {
    const uint64_t seen = announcements->count();
    const bool is_there = MUTIRAO_TRY(Found(*database_, [&](SqlSession& sql) -> Result<bool> {
      SqlAnswer answer = MUTIRAO_TRY(sql.Run("SELECT last_event FROM runs WHERE id = $1", {run_id}));
      if (answer.rows.empty()) return Status::NotFound("there is no run " + run_id);
      return answer.rows[0].Number(0) > after;
    }));
    const auto now = std::chrono::steady_clock::now();
    if (is_there || now >= until || stop.stop_requested()) return Status::Ok();
    announcements->Wait(seen, std::min(until, now + kLookAnyway), stop);
  }
}

Result<RunRow> SqlStore::AskCancel(const std::string& run_id, const std::string& by, bool force) {
  const WallTime now = clock_->Now();
  return Changed(*database_, [&](SqlSession& sql) { return script::AskCancel(sql, run_id, by, force, now); });
}

std::string SqlStore::TakeUnansweredClaim() {
  std::lock_guard lock(mutex_);
  if (unanswered_claims_.empty()) return NewClaim();
  std::string claim = std::move(unanswered_claims_.back());
  unanswered_claims_.pop_back();
  return claim;
}

void SqlStore::KeepUnansweredClaim(const std::string& claim) {
  std::lock_guard lock(mutex_);
  unanswered_claims_.push_back(claim);
}

Result<std::optional<RunRow>> SqlStore::ClaimNextRun(const ProcessIdentity& server, const QueueLimits& limits,
                                                     WallTime now) {
  const std::string claim = TakeUnansweredClaim();
  auto run =
      Changed(*database_, [&](SqlSession& sql) { return script::ClaimNextRun(sql, claim, server, limits, now); });
  if (!run.ok()) KeepUnansweredClaim(claim);
  return run;
}

Result<RunRow> SqlStore::ClaimRun(const std::string& run_id, const ProcessIdentity& server) {
  const WallTime now = clock_->Now();
  const std::string claim = NewClaim();
  return Changed(*database_, [&](SqlSession& sql) { return script::ClaimRun(sql, claim, run_id, server, now); });
}

Result<std::vector<WaitReason>> SqlStore::ExplainQueue(const QueueLimits& limits, WallTime now) {
  return Found(*database_, [&](SqlSession& sql) { return script::ExplainQueue(sql, limits, now); });
}

Result<RunRow> SqlStore::BeginRun(const std::string& run_id, const std::string& claim, const ProcessIdentity& worker,
                                  const Json& config, const std::vector<std::string>& ops) {
  const WallTime now = clock_->Now();
  return Changed(*database_,
                 [&](SqlSession& sql) { return script::BeginRun(sql, run_id, claim, worker, config, ops, now); });
}

Status SqlStore::Heartbeat(const ProcessIdentity& process, WallTime now) {
  return Changed(*database_, [&](SqlSession& sql) { return script::Heartbeat(sql, process, now); });
}

Result<RunRow> SqlStore::TakeOver(const RunRow& seen, const ProcessIdentity& by) {
  const WallTime now = clock_->Now();
  const std::string claim = NewClaim();
  return Changed(*database_, [&](SqlSession& sql) { return script::TakeOver(sql, claim, seen, by, now); });
}

Status SqlStore::AddLease(const Lease& lease) {
  return Changed(*database_, [&](SqlSession& sql) { return script::AddLease(sql, lease); });
}

Status SqlStore::UpdateLease(const Lease& lease) {
  const WallTime now = clock_->Now();
  return Changed(*database_, [&](SqlSession& sql) { return script::UpdateLease(sql, lease, now); });
}

Result<std::optional<Lease>> SqlStore::TakeLease(const std::string& name, const ProcessIdentity& old_owner,
                                                 const ProcessIdentity& new_owner, WallTime now) {
  return Changed(*database_, [&](SqlSession& sql) { return script::TakeLease(sql, name, old_owner, new_owner, now); });
}

Result<std::vector<Lease>> SqlStore::ListLeases(bool open_only, const std::string& run_id) {
  return Found(*database_, [&](SqlSession& sql) { return script::ListLeases(sql, open_only, run_id); });
}

Result<std::vector<ScheduleRow>> SqlStore::ListSchedules() {
  return Found(*database_, [&](SqlSession& sql) { return script::ListSchedules(sql); });
}

Result<ScheduleRow> SqlStore::SeeSchedule(const std::string& job, const std::string& schedule,
                                          const std::string& definition_hash, WallTime now) {
  return Changed(*database_,
                 [&](SqlSession& sql) { return script::SeeSchedule(sql, job, schedule, definition_hash, now); });
}

Status SqlStore::EnableSchedule(const std::string& job, const std::string& schedule, bool enabled, WallTime now) {
  return Changed(*database_, [&](SqlSession& sql) { return script::EnableSchedule(sql, job, schedule, enabled, now); });
}

Result<TickRow> SqlStore::DecideTick(int64_t epoch, const TickRow& tick, const std::optional<NewRun>& run) {
  const WallTime now = clock_->Now();
  return Changed(*database_, [&](SqlSession& sql) { return script::DecideTick(sql, epoch, tick, run, now); });
}

Result<std::vector<TickRow>> SqlStore::ListTicks(const std::string& job, const std::string& schedule, int limit) {
  return Found(*database_, [&](SqlSession& sql) { return script::ListTicks(sql, job, schedule, limit); });
}

Result<Leadership> SqlStore::Lead(const ProcessIdentity& candidate, WallTime now, Duration ttl) {
  return Changed(*database_, [&](SqlSession& sql) { return script::Lead(sql, candidate, now, ttl); });
}

Status SqlStore::StepDown(const ProcessIdentity& holder) {
  return Changed(*database_, [&](SqlSession& sql) { return script::StepDown(sql, holder); });
}

Result<std::vector<OutboxRow>> SqlStore::TakeOutbox(WallTime now, Duration lease, int limit) {
  return Changed(*database_, [&](SqlSession& sql) { return script::TakeOutbox(sql, now, lease, limit); });
}

Status SqlStore::UpdateOutbox(const OutboxRow& row) {
  return Changed(*database_, [&](SqlSession& sql) { return script::UpdateOutbox(sql, row); });
}

Result<std::vector<OutboxRow>> SqlStore::ListOutbox(const std::string& run_id, int limit) {
  return Found(*database_, [&](SqlSession& sql) { return script::ListOutbox(sql, run_id, limit); });
}

Result<PruneResult> SqlStore::Prune(const Retention& retention, WallTime now, bool dry_run) {
  return script::Prune(*database_, retention, now, dry_run);
}

Result<Json> SqlStore::Statistics() {
  return Found(*database_, [&](SqlSession& sql) { return script::Statistics(sql); });
}

}  // namespace mutirao::orchestration
