#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/crash_point.h"
#include "storage/durable.h"
#include "storage/file_lock.h"
#include "storage/publish.h"
#include "storage/staging.h"
#include "storage/system_error.h"

namespace mutirao::storage {
namespace {

namespace fs = std::filesystem;

std::string TemporaryPrefix(const TargetPlace& place) {
  return "." + place.name + ".new-";
}

void RemoveDeadTemporaries(const TargetPlace& place) {
  std::error_code error;
  for (fs::directory_iterator at(place.parent, error), end; !error && at != end; at.increment(error)) {
    if (!at->path().filename().string().starts_with(TemporaryPrefix(place))) continue;
    FileLock lock;
    auto outcome = lock.TryLockFile(at->path().string());
    if (outcome.ok() && *outcome == FileLock::Outcome::kLocked) RemoveTree(at->path().string());
  }
}

Status WriteAll(const std::string& path, std::string_view content) {
  int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_TRUNC);
  if (fd < 0) return SystemError("opening", path, errno);
  Status status;
  while (!content.empty() && status.ok()) {
    ssize_t n = write(fd, content.data(), content.size());
    if (n > 0) content.remove_prefix(static_cast<size_t>(n));
    if (n < 0 && errno != EINTR) status = SystemError("writing", path, errno);
  }
  if (status.ok() && fsync(fd) != 0) status = SystemError("writing to disk", path, errno);
  if (close(fd) != 0 && status.ok()) status = SystemError("writing", path, errno);
  return status;
}

}  // namespace

Status WriteFileAtomically(const std::string& path, std::string_view content) {
  static std::atomic<int64_t> counter{0};
  auto place = MUTIRAO_TRY(PlaceOf(path));
  RemoveDeadTemporaries(place);
  std::string temporary =
      place.parent + "/" + TemporaryPrefix(place) + std::to_string(getpid()) + "-" + std::to_string(counter++);
  FileLock lock;
  MUTIRAO_TRY(lock.TryLockFile(temporary));
  Status status = WriteAll(temporary, content);
  CrashPoint("small.staged");
  if (status.ok() && std::rename(temporary.c_str(), place.path.c_str()) != 0) {
    status = SystemError("writing", path, errno);
  }
  if (!status.ok()) {
    RemoveTree(temporary);
    return status;
  }
  CrashPoint("small.swapped");
  return SyncFolder(place.parent);
}

}  // namespace mutirao::storage
