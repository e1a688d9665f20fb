#pragma once

#include <string>

#include <mutirao/status.h>

namespace mutirao::storage {

/// Hold an exclusive lock on a path for as long as the object or the process lives; `kill -9` frees it.
///
/// The lock is flock(2) on the file's inode. Since a path can come to name another inode, a lock counts only when the
/// path still names the locked one.
///
/// Ownership: owns its descriptor; moves, does not copy. Children that are executed do not inherit it.
class FileLock {
 public:
  enum class Outcome {
    kLocked,
    kHeldByOther,
    kUnsupported,  ///< the file system has no locks: nobody can say who lives
  };

  FileLock() = default;
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock() { Release(); }

  /// Lock a file, making it if need be, without waiting. Errors: kIo.
  Result<Outcome> TryLockFile(const std::string& path);

  /// Lock a folder that exists, waiting for whoever has it. Errors: kNotFound; kIo.
  Result<Outcome> LockFolder(const std::string& path);

  void Release();
  bool held() const { return fd_ >= 0; }

 private:
  Result<Outcome> Lock(const std::string& path, int open_flags, int lock_flags);

  int fd_ = -1;
};

}  // namespace mutirao::storage
