#pragma once

#include "orchestration/store/sql/session.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

Result<std::vector<OutboxRow>> TakeOutbox(SqlSession& sql, WallTime now, Duration lease, int limit);
Status UpdateOutbox(SqlSession& sql, const OutboxRow& row);
Result<std::vector<OutboxRow>> ListOutbox(SqlSession& sql, const std::string& run_id, int limit);

}  // namespace mutirao::orchestration
