#pragma once

#include <string_view>

#include "base/json.h"

namespace mutirao::orchestration::pipes {

/// Parse a line that a stranger wrote. NaN, Infinity and -Infinity outside texts are read as null.
/// Errors: kInvalid, also for more than 5,000 keys or 100 levels, which would take long to no purpose.
Result<Json> ParseWireJson(std::string_view line);

}  // namespace mutirao::orchestration::pipes
