#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

namespace mutirao::fuzz {

/// Draw choices from the front of a fuzzer's input; what is behind them is the text under test.
///
/// Each choice is one byte at a place of its own, so that a change of one leaves the others and the text alone.
class Choices {
 public:
  Choices(const uint8_t* data, size_t size, size_t count)
      : choices_(reinterpret_cast<const char*>(data), size < count ? size : count),
        text_(reinterpret_cast<const char*>(data) + choices_.size(), size - choices_.size()) {}

  /// A number from 0 to limit - 1; 0 when the input has too few bytes.
  int Below(int limit) {
    const int byte = next_ < choices_.size() ? static_cast<uint8_t>(choices_[next_]) : 0;
    ++next_;
    return byte % limit;
  }
  bool Flag() { return Below(2) == 1; }

  template <typename T>
  T From(std::initializer_list<T> values) {
    return values.begin()[Below(static_cast<int>(values.size()))];
  }

  std::string_view text() const { return text_; }

 private:
  std::string_view choices_;
  std::string_view text_;
  size_t next_ = 0;
};

/// End the process with a message unless a promise was kept, as a sanitizer does.
inline void Require(bool kept, std::string_view what) {
  if (kept) return;
  std::fputs("broken promise: ", stderr);
  std::fwrite(what.data(), 1, what.size(), stderr);
  std::fputc('\n', stderr);
  std::abort();
}

}  // namespace mutirao::fuzz
