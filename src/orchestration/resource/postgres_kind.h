#pragma once

#include "orchestration/resource/resource_kind.h"

namespace mutirao::orchestration {

/// `postgres`: a PostgreSQL database that is there already; a connection is tried before the ops that use it start.
std::unique_ptr<ResourceKind> MakePostgresKind();

}  // namespace mutirao::orchestration
