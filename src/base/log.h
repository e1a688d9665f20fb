#pragma once

#include <functional>
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
  /// Mask a value from now on, also where it stands percent-encoded, escaped for JSON, or in base64, alone or inside a
  /// longer value such as `user:password`. Values shorter than 4 characters are ignored: masking them would blank half
  /// of every text.
  void Add(std::string_view secret);
  std::string Mask(std::string_view text) const;
  /// How many bytes of a text that goes on can be masked by themselves: what is behind may be the beginning of a
  /// secret.
  size_t CompletePart(std::string_view text) const;
  /// Mask every text in a value; keys, numbers and the shape stay.
  Json MaskTexts(Json value) const;

  /// The one that Log uses.
  static Redactor& Global();

 private:
  // All forms of all secrets, longest first.
  std::vector<std::string> secrets_;
};

/// Mask text that comes in pieces, so that a secret that is cut between two of them is masked too. Holds back what may
/// be the beginning of a secret, and nothing else.
///
/// Threads: one at a time.
class MaskedStream {
 public:
  explicit MaskedStream(std::function<void(std::string_view)> take, const Redactor& redactor = Redactor::Global())
      : redactor_(redactor), take_(std::move(take)) {}

  void Add(std::string_view bytes);
  /// Give what is held back: nothing more will come.
  void Finish();

 private:
  const Redactor& redactor_;
  std::function<void(std::string_view)> take_;
  std::string held_;
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
