#pragma once

#include "orchestration/store/sql/session.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

Result<std::vector<ScheduleRow>> ListSchedules(SqlSession& sql);
Result<ScheduleRow> SeeSchedule(SqlSession& sql, const std::string& job, const std::string& schedule,
                                const std::string& definition_hash, WallTime now);
Status EnableSchedule(SqlSession& sql, const std::string& job, const std::string& schedule, bool enabled, WallTime now);
Result<TickRow> DecideTick(SqlSession& sql, int64_t epoch, const TickRow& tick, const std::optional<NewRun>& run,
                           WallTime now);
Result<std::vector<TickRow>> ListTicks(SqlSession& sql, const std::string& job, const std::string& schedule, int limit);

Result<Leadership> Lead(SqlSession& sql, const ProcessIdentity& candidate, WallTime now, Duration ttl);
Status StepDown(SqlSession& sql, const ProcessIdentity& holder);

}  // namespace mutirao::orchestration
