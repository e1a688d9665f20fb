#pragma once

#include <memory>
#include <string>

#include "orchestration/pipes/line_cutter.h"
#include "orchestration/pipes/session.h"

namespace mutirao::orchestration::pipes {

/// The file that a program appends its messages to, read while it grows.
///
/// Ownership: destroying it closes and removes the file.
/// Threads: one at a time.
class MessageFile {
 public:
  /// Make the file, empty, mode 0600. Errors: kIo, kAlreadyExists.
  static Result<MessageFile> Make(std::string path, Session& session);
  MessageFile(MessageFile&& other) noexcept;
  MessageFile& operator=(MessageFile&&) = delete;
  ~MessageFile();

  const std::string& path() const { return path_; }
  /// What the program is told of it: {"path": …}.
  Json Parameter() const;

  /// Hand what was appended since to the session, some MiB at most; an unfinished line is left for later. Errors: kIo.
  Status Poll();
  /// Read to the end and take what is left as a last line: the program has ended. Errors: kIo.
  Status Finish();

 private:
  MessageFile(std::string path, int fd, Session& session);
  /// Says whether the end of the file was reached.
  Result<bool> ReadUpTo(size_t bytes);

  std::string path_;
  int fd_;
  std::unique_ptr<LineCutter> cutter_;
};

}  // namespace mutirao::orchestration::pipes
