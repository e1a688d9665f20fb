#pragma once

#include "orchestration/store/sql/session.h"

namespace mutirao::orchestration {

/// The newest version of the tables that this build knows.
int LatestSchemaVersion();

/// Make the tables of a new database, or bring those of an older build up to this one's, in one transaction.
/// Errors: kUnsupported when a newer build made them.
Status MigrateSchema(SqlDatabase& database, WallTime now);

}  // namespace mutirao::orchestration
