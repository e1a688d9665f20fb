#pragma once

#include <functional>
#include <string>

#include "base/json.h"

namespace mutirao::orchestration {

/// Say whether somebody listens at "host:port" or "port" (of 127.0.0.1).
bool AcceptsConnections(const std::string& address);

/// Say whether GET of a URL is answered with a status below 400. Redirects are an answer, not followed.
bool AnswersHttp(const std::string& url);

/// Free TCP ports of 127.0.0.1, different ones. Another process may take one before it is used.
/// Errors: kExhausted.
Result<std::vector<int>> FindFreePorts(size_t count);

}  // namespace mutirao::orchestration
