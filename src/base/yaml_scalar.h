#pragma once

#include <string>

#include "base/json.h"

namespace mutirao {

/// Give a plain (unquoted) scalar the value that the core schema of YAML 1.2 has for it (chapter 10.3.2). Numbers that
/// leave int64 or float64 stay texts.
Json ResolveYamlScalar(const std::string& text);

}  // namespace mutirao
