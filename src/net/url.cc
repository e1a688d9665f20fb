#include "net/url.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace mutirao::net {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Status Wrong(std::string_view why) {
  return Status::Invalid(fmt::format("this is no web address: {}", why)).Help("write https://HOST/PATH");
}

bool GoodHost(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

}  // namespace

std::string Url::Origin() const {
  const bool usual = port == (scheme == "https" ? 443 : 80);
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return usual ? fmt::format("{}://{}", scheme, name) : fmt::format("{}://{}:{}", scheme, name, port);
}

Result<Url> ParseUrl(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; })) {
    return Wrong("it holds blanks or control characters");
  }
  const size_t colon = text.find("://");
  Url url;
  if (colon != std::string_view::npos) url.scheme = Lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return Wrong("it begins with neither http:// nor https://");
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find_first_of("/?#\\"));
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    url.has_password = true;
    rest.remove_prefix(at + 1);
  }
  std::string_view port;
  if (rest.starts_with('[')) {
    const size_t end = rest.find(']');
    if (end == std::string_view::npos) return Wrong("a \"]\" is missing");
    url.host = Lower(rest.substr(1, end - 1));
    port = rest.substr(end + 1);
    if (!port.empty() && port[0] != ':') return Wrong("something stands between \"]\" and the port");
  } else {
    const size_t end = std::min(rest.find(':'), rest.size());
    url.host = Lower(rest.substr(0, end));
    port = rest.substr(end);
  }
  if (!GoodHost(url.host)) return Wrong("it has no host");
  url.port = url.scheme == "https" ? 443 : 80;
  if (port.empty()) return url;
  const char* end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data() + 1, end, url.port);
  if (error != std::errc() || stop != end || url.port < 1 || url.port > 65535) return Wrong("its port is no port");
  return url;
}

}  // namespace mutirao::net
