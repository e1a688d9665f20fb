#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/log.h"

namespace mutirao::orchestration {

/// Make lines of what a program writes to a stream: secrets masked before anything is cut, what a lone carriage return
/// overwrites left out, control characters and broken UTF-8 replaced, long lines shortened. Holds one line at most.
///
/// Threads: one at a time.
class OutputLines {
 public:
  /// Longer lines lose their rest, and say how much.
  static constexpr size_t kLongestLine = 64 << 10;

  explicit OutputLines(std::function<void(const std::string&)> take);

  OutputLines(const OutputLines&) = delete;
  OutputLines& operator=(const OutputLines&) = delete;

  void Add(std::string_view bytes) { masked_.Add(bytes); }
  /// Give the last line if it had no end: nothing more will come.
  void Finish();

 private:
  void TakeMasked(std::string_view bytes);
  void Append(std::string_view bytes);
  void Emit();

  std::function<void(const std::string&)> take_;
  MaskedStream masked_;
  std::string line_;
  size_t length_ = 0;             // of the line, with what was not kept
  bool carriage_return_ = false;  // the last character was one
};

}  // namespace mutirao::orchestration
