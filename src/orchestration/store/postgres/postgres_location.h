#pragma once

#include <string>
#include <string_view>

#include <mutirao/status.h>

namespace mutirao::orchestration {

/// Say whether a store's location is one of PostgreSQL: "postgresql://…", "postgres://…" or "postgresql:host=… …".
bool IsPostgresLocation(std::string_view uri);

/// Check a location and give it in the form that libpq takes. Its password is masked in all output from here on.
/// Errors: kInvalid; the text never repeats what was given, which may be a password in the wrong place.
Result<std::string> ParsePostgresLocation(std::string_view uri);

}  // namespace mutirao::orchestration
