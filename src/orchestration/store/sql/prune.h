#pragma once

#include "orchestration/store/sql/session.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

/// Delete what retention does not keep. Many short transactions: those who write do not wait for long.
Result<PruneResult> Prune(SqlDatabase& database, const Retention& retention, WallTime now, bool dry_run);

Result<Json> Statistics(SqlSession& sql);

}  // namespace mutirao::orchestration
