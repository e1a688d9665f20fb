#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <mutirao/status.h>

namespace mutirao::pipes {

/// Take what this process and its children write to standard output and error, at descriptor level. It still goes where
/// it went before, too.
///
/// Threads: two of its own; `take` is called from them, one stream at a time.
class StdioCapture {
 public:
  using Take = std::function<void(bool is_stderr, std::string_view text)>;

  /// Errors: kIo.
  static Result<std::unique_ptr<StdioCapture>> Start(Take take);
  ~StdioCapture();
  StdioCapture(const StdioCapture&) = delete;
  StdioCapture& operator=(const StdioCapture&) = delete;

  /// Put the streams back and hand on what is left. Children that still write are not waited for.
  void Stop();

 private:
  struct Stream;
  StdioCapture() = default;
  Status Redirect(int fd);

  Take take_;
  std::unique_ptr<Stream> streams_[2];
};

}  // namespace mutirao::pipes
