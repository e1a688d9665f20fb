#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace mutirao {

/// Make a run's id: UTC time to the second, then 8 random hexadecimal digits: "20261122-103000-9f86d081".
/// Sorts by time, is a valid file name, host name part and SQL text; unique by 32 random bits within a second.
std::string MakeRunId(const Clock& clock = Clock::System());

/// Say whether text has the form of a run id; anything else must not become part of a path.
bool IsRunId(std::string_view text);

/// `digits` random hexadecimal digits from the operating system.
std::string RandomHex(int digits);

}  // namespace mutirao
