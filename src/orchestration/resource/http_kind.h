#pragma once

#include "orchestration/resource/resource_kind.h"

namespace mutirao::orchestration {

/// `http`: a service that is there already; reachable before the ops that use it start.
std::unique_ptr<ResourceKind> MakeHttpKind();

}  // namespace mutirao::orchestration
