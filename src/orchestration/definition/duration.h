#pragma once

#include <chrono>
#include <string_view>

#include <mutirao/status.h>

namespace mutirao::orchestration {

using Duration = std::chrono::milliseconds;

/// Parse a length of time as job files give it: "500ms", "10s", "5m", "2h", "1d", or several together ("1h30m").
/// Errors: kInvalid.
Result<Duration> ParseDuration(std::string_view text);

}  // namespace mutirao::orchestration
