#include "storage/durable.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "storage/system_error.h"

namespace mutirao::storage {
namespace {

namespace fs = std::filesystem;

Status Sync(const std::string& path, int flags) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (fd < 0) return SystemError("opening", path, errno);
  int error = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  // Some network file systems know no fsync of folders.
  if (error == EINVAL && (flags & O_DIRECTORY)) error = 0;
  return error == 0 ? Status::Ok() : SystemError("writing to disk", path, error);
}

}  // namespace

Status SyncFile(const std::string& path) {
  return Sync(path, 0);
}

Status SyncFolder(const std::string& path) {
  return Sync(path.empty() ? "." : path, O_DIRECTORY);
}

Status SyncTree(const std::string& folder) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    fs::file_status status = entries->symlink_status(error);
    if (error) break;
    if (fs::is_directory(status)) MUTIRAO_TRY(SyncTree(entries->path().string()));
    if (fs::is_regular_file(status)) MUTIRAO_TRY(SyncFile(entries->path().string()));
  }
  if (error) return SystemError("listing", folder, error.value());
  return SyncFolder(folder);
}

bool RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return !error;
}

}  // namespace mutirao::storage
