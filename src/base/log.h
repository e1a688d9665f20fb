#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/json.h"

namespace mutirao {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Replace secrets by "***" in all text that leaves through the log, errors and events.
///
/// Threads: Add before threads start or at any time; Mask from any thread.
class Redactor {
 public:
  /// Values shorter than 4 characters are ignored: masking them would blank half of every text.
  void Add(std::string_view secret);
  std::string Mask(std::string_view text) const;
  /// Mask every text in a value; keys, numbers and the shape stay.
  Json MaskTexts(Json value) const;

  /// The one that Log uses.
  static Redactor& Global();

 private:
  std::vector<std::string> secrets_;
};

/// Set what reaches standard error. Default: kWarning.
void SetLogLevel(LogLevel level);

/// Write one line to standard error, masked. Threads: any; lines do not mix.
void Log(LogLevel level, std::string_view message);

template <typename... Args>
void LogInfo(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogWarning(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void LogDebug(fmt::format_string<Args...> format, Args&&... args) {
  Log(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace mutirao
