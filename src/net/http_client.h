#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include <mutirao/status.h>

namespace mutirao::net {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds timeout{15000};
  /// More of an answer than this is not read.
  size_t most_body = 64 * 1024;
};

struct HttpResponse {
  int status = 0;
  std::string body;

  bool success() const { return status >= 200 && status < 300; }
};

/// Send one request and wait for its answer; any status is an answer. Redirects are not followed.
///
/// Link-local addresses, where clouds keep their credentials, are refused whatever name leads there; so is anything but
/// HTTP and HTTPS. Certificates are checked. Proxies of the environment are used,
/// but not for this machine itself.
/// Errors: kInvalid for the address, kUnavailable when there is no connection, kDeadline, kCancelled after `stop`,
/// kNotFound when libcurl is not installed. They name the origin alone: path and query may be secret.
/// Threads: any.
Result<HttpResponse> SendHttp(const HttpRequest& request, std::stop_token stop = {});

}  // namespace mutirao::net
