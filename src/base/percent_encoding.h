#pragma once

#include <string>
#include <string_view>

namespace mutirao {

/// Replace every %XX by its byte (RFC 3986); what is no such triple stays as it is.
std::string PercentDecode(std::string_view text);

}  // namespace mutirao
