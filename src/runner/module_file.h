#pragma once

#include <string>

#include <mutirao/status.h>

namespace mutirao::runner {

/// The hash of a library's content by which tasks name it: the first 40 hexadecimal digits of its SHA-256.
/// Errors: kNotFound, kIo.
Result<std::string> ContentHash(const std::string& path);

/// Find the library of this content in a folder, where workers keep it as <hash>.so and people under any name.
/// Errors: kNotFound.
Result<std::string> FindModuleFile(const std::string& folder, const std::string& hash);

}  // namespace mutirao::runner
