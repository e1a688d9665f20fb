#pragma once

#include "orchestration/store/sql/session.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

Result<Store::Added> AddRun(SqlSession& sql, const NewRun& run, WallTime now);
Result<RunRow> GetRun(SqlSession& sql, const std::string& run_id);
Result<std::vector<OpRow>> GetOps(SqlSession& sql, const std::string& run_id);
Result<std::vector<RunRow>> ListRuns(SqlSession& sql, const RunFilter& filter);
Result<RunRow> AskCancel(SqlSession& sql, const std::string& run_id, const std::string& by, bool force, WallTime now);

}  // namespace mutirao::orchestration
