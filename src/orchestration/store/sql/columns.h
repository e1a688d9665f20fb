#pragma once

#include <string>

#include "orchestration/leases/lease.h"
#include "orchestration/store/records.h"
#include "orchestration/store/sql/session.h"

namespace mutirao::orchestration {

/// The columns that a SELECT must list, in this order, for the function beside them.
extern const std::string kRunColumns;
Result<RunRow> ReadRun(const SqlRow& row);

extern const std::string kOpColumns;
Result<OpRow> ReadOp(const SqlRow& row);

extern const std::string kEventColumns;
Event ReadEvent(const SqlRow& row);

extern const std::string kLeaseColumns;
Result<Lease> ReadLease(const SqlRow& row);

extern const std::string kTickColumns;
TickRow ReadTick(const SqlRow& row);

extern const std::string kScheduleColumns;
ScheduleRow ReadSchedule(const SqlRow& row);

extern const std::string kOutboxColumns;
OutboxRow ReadOutbox(const SqlRow& row);

std::string_view TickStateName(TickState state);

/// "$3, $4, $5": so many, from this one on.
std::string Placeholders(size_t first, size_t count);

}  // namespace mutirao::orchestration
