#include "base/log.h"

#include <algorithm>
#include <mutex>
#include <shared_mutex>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace mutirao {
namespace {

std::shared_mutex secrets_mutex;

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("mutirao", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%l: %v");
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *logger;
}

}  // namespace

void Redactor::Add(std::string_view secret) {
  if (secret.size() < 4) return;
  std::unique_lock lock(secrets_mutex);
  secrets_.emplace_back(secret);
  // Longest first, so that a secret that contains another is masked as a whole.
  std::sort(secrets_.begin(), secrets_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string Redactor::Mask(std::string_view text) const {
  std::shared_lock lock(secrets_mutex);
  std::string masked(text);
  for (const std::string& secret : secrets_) {
    for (size_t at = masked.find(secret); at != std::string::npos; at = masked.find(secret, at + 3)) {
      masked.replace(at, secret.size(), "***");
    }
  }
  return masked;
}

Json Redactor::MaskTexts(Json value) const {
  if (value.is_string()) return Mask(value.get_ref<const std::string&>());
  if (value.is_structured()) {
    for (Json& item : value) item = MaskTexts(std::move(item));
  }
  return value;
}

Redactor& Redactor::Global() {
  static Redactor redactor;
  return redactor;
}

void SetLogLevel(LogLevel level) {
  Logger().set_level(ToSpdlog(level));
}

void Log(LogLevel level, std::string_view message) {
  if (!Logger().should_log(ToSpdlog(level))) return;
  Logger().log(ToSpdlog(level), Redactor::Global().Mask(message));
}

}  // namespace mutirao
