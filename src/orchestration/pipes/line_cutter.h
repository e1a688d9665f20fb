#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace mutirao::orchestration::pipes {

/// Cut bytes that come in pieces into whole lines, holding at most one line of `longest` bytes.
///
/// Threads: one at a time.
class LineCutter {
 public:
  struct Line {
    /// Without its end. Of a line that is too long, its first `longest` bytes.
    std::string_view text;
    /// How long it was, when it was too long; else 0.
    size_t oversized = 0;
    /// False for what stands behind the last line's end when everything was read.
    bool ended = true;
  };
  LineCutter(size_t longest, std::function<void(const Line&)> take) : longest_(longest), take_(std::move(take)) {}

  void Add(std::string_view bytes);
  /// Give what is left, if anything: nothing more will come.
  void Finish();

 private:
  void Emit(bool ended);

  const size_t longest_;
  std::function<void(const Line&)> take_;
  std::string held_;
  size_t length_ = 0;  // of the line so far, with what was not held
};

}  // namespace mutirao::orchestration::pipes
