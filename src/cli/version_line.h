#pragma once

#include <string_view>

#include <mutirao/version.h>

namespace mutirao::cli {

/// What `mutirao version` and `mutirao --version` print.
inline constexpr std::string_view kVersionLine = "mutirao " MUTIRAO_VERSION "\n";

}  // namespace mutirao::cli
