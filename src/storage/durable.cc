#include "storage/durable.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "storage/system_error.h"

namespace mutirao::storage {
namespace {

namespace fs = std::filesystem;

// They wait for the disk, not for a core.
constexpr size_t kMostThreads = 16;

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
  std::vector<std::pair<std::string, bool>> paths = {{folder, true}};
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    fs::file_status status = at->symlink_status(error);
    if (error) break;
    bool is_folder = fs::is_directory(status);
    if (is_folder || fs::is_regular_file(status)) paths.emplace_back(at->path().string(), is_folder);
  }
  if (error) return SystemError("listing", folder, error.value());

  std::atomic<size_t> next{0};
  std::mutex mutex;
  Status first_failure;
  auto work = [&] {
    for (size_t i = next++; i < paths.size(); i = next++) {
      Status synced = paths[i].second ? SyncFolder(paths[i].first) : SyncFile(paths[i].first);
      if (synced.ok()) continue;
      std::lock_guard lock(mutex);
      if (first_failure.ok()) first_failure = std::move(synced);
    }
  };
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < std::min(paths.size() / 2, kMostThreads); ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return first_failure;
}

bool RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return !error;
}

}  // namespace mutirao::storage
