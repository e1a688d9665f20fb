#include "storage/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "storage/system_error.h"

namespace mutirao::storage {

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    Release();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void FileLock::Release() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

Result<FileLock::Outcome> FileLock::TryLockFile(const std::string& path) {
  return Lock(path, O_RDWR | O_CREAT, LOCK_EX | LOCK_NB);
}

Result<FileLock::Outcome> FileLock::LockFolder(const std::string& path) {
  return Lock(path, O_RDONLY | O_DIRECTORY, LOCK_EX);
}

Result<FileLock::Outcome> FileLock::Lock(const std::string& path, int open_flags, int lock_flags) {
  for (;;) {
    int fd = open(path.c_str(), open_flags | O_CLOEXEC, 0666);
    if (fd < 0) return SystemError("locking", path, errno);
    int failed = 0;
    do {
      failed = flock(fd, lock_flags) == 0 ? 0 : errno;
    } while (failed == EINTR);
    if (failed == EWOULDBLOCK) {
      close(fd);
      return Outcome::kHeldByOther;
    }
    struct stat locked {
    }, named{};
    if (failed == 0 && fstat(fd, &locked) == 0 && stat(path.c_str(), &named) == 0 && locked.st_ino == named.st_ino &&
        locked.st_dev == named.st_dev) {
      Release();
      fd_ = fd;
      return Outcome::kLocked;
    }
    close(fd);
    if (failed != 0) return Outcome::kUnsupported;
  }
}

}  // namespace mutirao::storage
