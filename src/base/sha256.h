#pragma once

#include <string>
#include <string_view>

#include <mutirao/status.h>

namespace mutirao {

/// Give the SHA-256 of some bytes as 64 hexadecimal digits. Errors: kInternal when libcrypto refuses.
Result<std::string> Sha256Hex(std::string_view bytes);

/// The same of a file's content. Errors: also kNotFound, kIo.
Result<std::string> Sha256OfFile(const std::string& path);

}  // namespace mutirao
