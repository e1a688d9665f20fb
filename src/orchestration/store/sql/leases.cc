#include "orchestration/store/sql/leases.h"

#include <fmt/format.h>

#include "orchestration/store/sql/columns.h"

namespace mutirao::orchestration {
namespace {

Result<std::optional<Lease>> LockLease(SqlSession& sql, const std::string& name) {
  SqlAnswer answer = MUTIRAO_TRY(
      sql.Run(fmt::format("SELECT {} FROM leases WHERE name = $1{}", kLeaseColumns, sql.for_update()), {name}));
  if (answer.rows.empty()) return std::optional<Lease>();
  Lease lease = MUTIRAO_TRY(ReadLease(answer.rows[0]));
  return std::optional<Lease>(std::move(lease));
}

// A run that ended leaks as long as something that it made may exist.
Status SettleLeak(SqlSession& sql, const std::string& run_id) {
  MUTIRAO_TRY(
      sql.Run("UPDATE runs SET leaked = 0 WHERE id = $1 AND leaked <> 0 AND "
              "NOT EXISTS (SELECT 1 FROM leases WHERE run_id = $1 AND state <> 'closed')",
              {run_id}));
  return Status::Ok();
}

}  // namespace

Status AddLease(SqlSession& sql, const Lease& lease) {
  if (lease.name.empty()) return Status::Invalid("a lease has no name");
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(
      "INSERT INTO leases (name, kind, run_id, resource, owner, state, created, changed, heartbeat, reap_attempts, "
      "next_reap, error, intent, handle) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
      "ON CONFLICT DO NOTHING",
      {lease.name, lease.kind, lease.run_id, lease.resource, lease.owner, LeaseStateName(lease.state), lease.created,
       lease.changed, lease.heartbeat, lease.reap_attempts, lease.next_reap, lease.error,
       SqlValue::OfJson(lease.intent.is_null() ? Json::object() : lease.intent), SqlValue::OfJson(lease.handle)}));
  if (answer.changed > 0) return Status::Ok();
  std::optional<Lease> there = MUTIRAO_TRY(LockLease(sql, lease.name));
  // An earlier try of the same call: nobody else gives this owner's lease this time of its making.
  const bool same = there && there->owner == lease.owner && there->created == lease.created &&
                    there->state == lease.state && there->run_id == lease.run_id;
  if (same) return Status::Ok();
  return Status::AlreadyExists(fmt::format("there was a lease {} before", lease.name));
}

Status UpdateLease(SqlSession& sql, const Lease& lease, WallTime now) {
  // The run first, as everywhere: two that lock in the same order do not wait for each other for ever.
  MUTIRAO_TRY(sql.Run(fmt::format("SELECT place FROM runs WHERE id = $1{}", sql.for_update()), {lease.run_id}));
  std::optional<Lease> there = MUTIRAO_TRY(LockLease(sql, lease.name));
  if (!there) return Status::NotFound(fmt::format("there is no lease {}", lease.name));
  if (there->owner != lease.owner) return Status::Cancelled(fmt::format("lease {} has another owner", lease.name));
  if (there->state > lease.state) {
    return Status::Internal(fmt::format("lease {} is {} and cannot become {}", lease.name, LeaseStateName(there->state),
                                        LeaseStateName(lease.state)));
  }
  MUTIRAO_TRY(
      sql.Run("UPDATE leases SET state = $2, handle = coalesce($3, handle), reap_attempts = $4, "
              "next_reap = $5, error = $6, changed = $7 WHERE name = $1",
              {lease.name, LeaseStateName(lease.state), SqlValue::OfJson(lease.handle), lease.reap_attempts,
               lease.next_reap, lease.error, now}));
  return lease.state == LeaseState::kClosed ? SettleLeak(sql, there->run_id) : Status::Ok();
}

Result<std::optional<Lease>> TakeLease(SqlSession& sql, const std::string& name, const ProcessIdentity& old_owner,
                                       const ProcessIdentity& new_owner, WallTime now) {
  std::optional<Lease> lease = MUTIRAO_TRY(LockLease(sql, name));
  if (!lease || lease->state == LeaseState::kClosed) return std::optional<Lease>();
  if (lease->owner == new_owner) return lease;
  if (lease->owner != old_owner) return std::optional<Lease>();
  MUTIRAO_TRY(
      sql.Run("UPDATE leases SET owner = $2, heartbeat = $3, changed = $3 WHERE name = $1", {name, new_owner, now}));
  lease->owner = new_owner;
  lease->heartbeat = now;
  lease->changed = now;
  return lease;
}

Result<std::vector<Lease>> ListLeases(SqlSession& sql, bool open_only, const std::string& run_id) {
  std::string statement = "SELECT " + kLeaseColumns + " FROM leases WHERE 1 = 1";
  SqlArguments arguments;
  if (open_only) statement += " AND state <> 'closed'";
  if (!run_id.empty()) {
    statement += " AND run_id = $1";
    arguments.emplace_back(run_id);
  }
  SqlAnswer answer = MUTIRAO_TRY(sql.Run(statement + " ORDER BY created, name", arguments));
  std::vector<Lease> leases;
  for (const SqlRow& row : answer.rows) {
    Lease lease = MUTIRAO_TRY(ReadLease(row));
    leases.push_back(std::move(lease));
  }
  return leases;
}

}  // namespace mutirao::orchestration
