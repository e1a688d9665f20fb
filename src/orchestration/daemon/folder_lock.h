#pragma once

#include <string>

#include <mutirao/status.h>

namespace mutirao::orchestration {

/// Hold a project's folder for one server of this machine. The kernel lets go of it when the process ends, however it
/// ends; children do not inherit it.
class FolderLock {
 public:
  /// Make the folder (0700) when it is missing, and take its lock.
  /// Errors: kUnavailable when another process holds it, saying which; kIo.
  static Result<FolderLock> Take(const std::string& folder);

  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace mutirao::orchestration
