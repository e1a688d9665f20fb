#pragma once

#include "base/json.h"

namespace mutirao::orchestration {

/// The JSON Schema (draft 7) of the config of a resource of type cluster. What a key means to which provider stands in
/// "x-providers"; a key without it is for all.
const Json& ClusterConfigSchema();

}  // namespace mutirao::orchestration
