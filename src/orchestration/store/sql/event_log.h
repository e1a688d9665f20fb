#pragma once

#include "orchestration/store/sql/session.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

/// What a script needs of a run to append events to it; its row is locked till the end of the transaction.
struct LockedRun {
  RunRow row;  ///< no more than what the fold and claims look at
  std::string last_write;
  int64_t last_write_event = 0;
  std::string earlier_claim;
};

/// Errors: kNotFound.
Result<LockedRun> LockRun(SqlSession& sql, const std::string& run_id);

/// Number events, fold them into the run and its ops, store all of it. Secrets in the events' data are masked.
/// Gives the number of the last event; `run` is as it stands then.
Result<int64_t> AppendEvents(SqlSession& sql, LockedRun& run, const std::vector<Event>& events);

/// Add hooks' messages; those whose key is there already are left out.
Status AddOutbox(SqlSession& sql, const std::vector<OutboxRow>& rows);

Result<int64_t> WriteRun(SqlSession& sql, const RunWrite& write);
Result<std::vector<Event>> ReadEvents(SqlSession& sql, const std::string& run_id, int64_t after, int limit);

}  // namespace mutirao::orchestration
