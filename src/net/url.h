#pragma once

#include <string>
#include <string_view>

#include <mutirao/status.h>

namespace mutirao::net {

/// The parts of an http:// or https:// address that we look at ourselves.
struct Url {
  std::string scheme;         ///< "http" or "https"
  std::string host;           ///< in lower case; an IPv6 address without its brackets
  int port = 0;               ///< with the scheme's default
  bool has_password = false;  ///< user or user:password before the host

  /// "https://hooks.example:8443": fit for messages, since path and query may be secret.
  std::string Origin() const;
};

/// Errors: kInvalid; the message never holds more than scheme and host.
Result<Url> ParseUrl(std::string_view text);

}  // namespace mutirao::net
