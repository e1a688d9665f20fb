#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mutirao {

/// Write bytes in base64 (RFC 4648): the standard alphabet, padded, on one line.
std::string Base64Encode(std::string_view bytes);

/// Read what Base64Encode writes; none for anything else.
std::optional<std::string> Base64Decode(std::string_view text);

}  // namespace mutirao
