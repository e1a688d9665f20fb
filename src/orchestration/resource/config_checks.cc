#include "orchestration/resource/config_checks.h"

#include <charconv>

#include <fmt/format.h>

#include "net/url.h"
#include "orchestration/config/variables.h"
#include "orchestration/definition/duration.h"

namespace mutirao::orchestration {
namespace {

// The text at a key that can be looked at now.
const std::string* TextAt(const Json& config, const std::string& key) {
  const auto found = config.find(key);
  if (found == config.end() || !found->is_string()) return nullptr;
  const std::string& text = found->get_ref<const std::string&>();
  return text.find("${") == std::string::npos ? &text : nullptr;
}

void AddFault(Diagnostics& errors, const std::string& pointer, const Status& status) {
  errors.Add({.message = status.message(), .pointer = pointer, .help = status.help()});
}

}  // namespace

void CheckDurationAt(const Json& config, const std::string& key, Diagnostics& errors) {
  const std::string* text = TextAt(config, key);
  if (text == nullptr) return;
  const Result<Duration> duration = ParseDuration(*text);
  if (!duration.ok()) AddFault(errors, PointerJoin("", key), duration.status());
}

void CheckPort(const Json& value, const std::string& pointer, bool host_too, Diagnostics& errors) {
  const std::string text = ValueAsText(value);
  if (text.find("${") != std::string::npos) return;
  const size_t colon = host_too ? text.rfind(':') : std::string::npos;
  const std::string digits = colon == std::string::npos ? text : text.substr(colon + 1);
  int port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error == std::errc() && end == digits.data() + digits.size() && port >= 1 && port <= 65535) return;
  errors.Add({.message = fmt::format("\"{}\" is no port", digits),
              .pointer = pointer,
              .help = host_too ? "write a number from 1 to 65535, or HOST:PORT" : "write a number from 1 to 65535"});
}

void CheckUrlAt(const Json& config, const std::string& key, Diagnostics& errors) {
  const std::string* text = TextAt(config, key);
  if (text == nullptr) return;
  const Result<net::Url> url = net::ParseUrl(*text);
  if (!url.ok()) return AddFault(errors, PointerJoin("", key), url.status());
  if (url->has_password) {
    errors.Add({.message = fmt::format("{} holds a user or password, which would be shown", key),
                .pointer = PointerJoin("", key),
                .help = "put it into headers: {Authorization: {env: NAME}}"});
  }
}

}  // namespace mutirao::orchestration
