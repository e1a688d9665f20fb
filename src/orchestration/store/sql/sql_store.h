#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "orchestration/store/sql/session.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

/// A store in an SQL database: each call is one of the scripts beside this file in one transaction.
class SqlStore : public Store {
 public:
  SqlStore(std::unique_ptr<SqlDatabase> database, const Clock* clock);

  std::string Describe() const override;
  Result<Added> AddRun(const NewRun& run) override;
  Result<RunRow> GetRun(const std::string& run_id) override;
  Result<std::vector<OpRow>> GetOps(const std::string& run_id) override;
  Result<std::vector<RunRow>> ListRuns(const RunFilter& filter) override;
  Result<int64_t> Write(const RunWrite& write) override;
  Result<std::vector<Event>> ReadEvents(const std::string& run_id, int64_t after, int limit) override;
  Status WaitForEvents(const std::string& run_id, int64_t after, Duration timeout, std::stop_token stop) override;
  Result<RunRow> AskCancel(const std::string& run_id, const std::string& by, bool force) override;

  Result<std::optional<RunRow>> ClaimNextRun(const ProcessIdentity& server, const QueueLimits& limits,
                                             WallTime now) override;
  Result<RunRow> ClaimRun(const std::string& run_id, const ProcessIdentity& server) override;
  Result<std::vector<WaitReason>> ExplainQueue(const QueueLimits& limits, WallTime now) override;
  Result<RunRow> BeginRun(const std::string& run_id, const std::string& claim, const ProcessIdentity& worker,
                          const Json& config, const std::vector<std::string>& ops) override;
  Status Heartbeat(const ProcessIdentity& process, WallTime now) override;
  Result<RunRow> TakeOver(const RunRow& seen, const ProcessIdentity& by) override;

  Status AddLease(const Lease& lease) override;
  Status UpdateLease(const Lease& lease) override;
  Result<std::optional<Lease>> TakeLease(const std::string& name, const ProcessIdentity& old_owner,
                                         const ProcessIdentity& new_owner, WallTime now) override;
  Result<std::vector<Lease>> ListLeases(bool open_only, const std::string& run_id) override;

  Result<std::vector<ScheduleRow>> ListSchedules() override;
  Result<ScheduleRow> SeeSchedule(const std::string& job, const std::string& schedule,
                                  const std::string& definition_hash, WallTime now) override;
  Status EnableSchedule(const std::string& job, const std::string& schedule, bool enabled, WallTime now) override;
  Result<TickRow> DecideTick(int64_t epoch, const TickRow& tick, const std::optional<NewRun>& run) override;
  Result<std::vector<TickRow>> ListTicks(const std::string& job, const std::string& schedule, int limit) override;

  Result<Leadership> Lead(const ProcessIdentity& candidate, WallTime now, Duration ttl) override;
  Status StepDown(const ProcessIdentity& holder) override;

  Result<std::vector<OutboxRow>> TakeOutbox(WallTime now, Duration lease, int limit) override;
  Status UpdateOutbox(const OutboxRow& row) override;
  Result<std::vector<OutboxRow>> ListOutbox(const std::string& run_id, int limit) override;

  Result<PruneResult> Prune(const Retention& retention, WallTime now, bool dry_run) override;
  Result<Json> Statistics() override;

 private:
  std::string TakeUnansweredClaim();
  void KeepUnansweredClaim(const std::string& claim);

  const std::unique_ptr<SqlDatabase> database_;
  const Clock* const clock_;
  std::mutex mutex_;
  /// Of calls of ClaimNextRun that failed: the runs that they may have taken are looked for by the next ones.
  std::vector<std::string> unanswered_claims_;  // guarded by mutex_
};

}  // namespace mutirao::orchestration
