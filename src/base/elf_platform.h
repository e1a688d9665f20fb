#pragma once

#include <string>

#include <mutirao/status.h>

namespace mutirao {

/// Say what a shared library or program was built for, "linux-x86_64", by its first bytes.
/// Errors: kNotFound, kIo; kInvalid when it is no such file.
Result<std::string> PlatformOfLibrary(const std::string& path);

/// What this machine runs, in the same words.
std::string OwnPlatform();

}  // namespace mutirao
