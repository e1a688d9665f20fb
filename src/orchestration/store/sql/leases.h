#pragma once

#include "orchestration/store/sql/session.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

Status AddLease(SqlSession& sql, const Lease& lease);
Status UpdateLease(SqlSession& sql, const Lease& lease, WallTime now);
Result<std::optional<Lease>> TakeLease(SqlSession& sql, const std::string& name, const ProcessIdentity& old_owner,
                                       const ProcessIdentity& new_owner, WallTime now);
Result<std::vector<Lease>> ListLeases(SqlSession& sql, bool open_only, const std::string& run_id);

}  // namespace mutirao::orchestration
