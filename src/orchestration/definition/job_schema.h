#pragma once

#include "base/json.h"

namespace mutirao::orchestration {

/// The JSON Schema (draft 7) of a job file: what ParseJob checks and `mutirao schema job` prints. The bodies of frames
/// and writes are marked "x-opaque": their rooms check them and give their own schemas.
const Json& JobSchema();

/// The JSON Schema of mutirao.yaml.
const Json& InstanceSchema();

/// The JSON Schema of what a launch may set: `-c` files, `defaults:` of the instance, `config:` of a schedule.
const Json& LaunchSchema();

/// The JSON Schema of a resource type's config; null for a type that this build does not have.
const Json* ResourceConfigSchema(const std::string& type);

/// The resource types of this build.
std::vector<std::string> ResourceTypes();

}  // namespace mutirao::orchestration
