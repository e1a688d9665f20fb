#pragma once

#include <string>
#include <string_view>

#include <mutirao/status.h>

namespace mutirao::storage {

/// The scheme of a URI ("s3" of "s3://bucket/x"); empty for plain paths.
std::string SchemeOf(std::string_view uri);

/// Give the plain path of a local URI ("file:/a", "file:///a%20b", "file://localhost/a") or path.
/// Errors: kInvalid for another host; kUnsupported for another scheme.
Result<std::string> LocalPath(std::string_view uri);

}  // namespace mutirao::storage
