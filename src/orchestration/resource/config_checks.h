#pragma once

#include <string>

#include "base/diagnostic.h"
#include "base/json.h"

namespace mutirao::orchestration {

/// Check parts of a resource's config that a schema cannot: what they say is added to `errors` with its pointer, which
/// starts at the config. Keys that are missing are right, and texts with ${…} are checked when that was replaced.

/// That the text at `key` is a length of time, and a possible one.
void CheckDurationAt(const Json& config, const std::string& key, Diagnostics& errors);

/// That a value is the number of a port; or, with `host_too`, host:port.
void CheckPort(const Json& value, const std::string& pointer, bool host_too, Diagnostics& errors);

/// That the text at `key` is an address on the web, without a password in it.
void CheckUrlAt(const Json& config, const std::string& key, Diagnostics& errors);

}  // namespace mutirao::orchestration
