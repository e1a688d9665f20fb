#pragma once

#include "orchestration/store/sql/session.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

// Each that gives a run to somebody takes the claim that it shall have, so that a repetition finds its own.

Result<std::optional<RunRow>> ClaimNextRun(SqlSession& sql, const std::string& claim, const ProcessIdentity& server,
                                           const QueueLimits& limits, WallTime now);
Result<RunRow> ClaimRun(SqlSession& sql, const std::string& claim, const std::string& run_id,
                        const ProcessIdentity& server, WallTime now);
Result<std::vector<WaitReason>> ExplainQueue(SqlSession& sql, const QueueLimits& limits, WallTime now);
Result<RunRow> BeginRun(SqlSession& sql, const std::string& run_id, const std::string& claim,
                        const ProcessIdentity& worker, const Json& config, const std::vector<std::string>& ops,
                        WallTime now);
Status Heartbeat(SqlSession& sql, const ProcessIdentity& process, WallTime now);
Result<RunRow> TakeOver(SqlSession& sql, const std::string& claim, const RunRow& seen, const ProcessIdentity& by,
                        WallTime now);

}  // namespace mutirao::orchestration
