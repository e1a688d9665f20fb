#include "orchestration/daemon/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/json.h"

namespace mutirao::orchestration {
namespace {

std::string WhoHolds(int fd) {
  char text[512];
  const ssize_t size = pread(fd, text, sizeof text, 0);
  Result<Json> holder = ParseJson(std::string_view(text, size > 0 ? static_cast<size_t>(size) : 0));
  if (!holder.ok() || !holder->is_object() || !holder->contains("pid")) return "another server";
  return fmt::format("the server with pid {}, which runs since {},", (*holder)["pid"].dump(),
                     holder->value("since", "some time"));
}

}  // namespace

Result<FolderLock> FolderLock::Take(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Status::Io(fmt::format("cannot make {}: {}", folder, std::strerror(errno)));
  }
  const std::string path = folder + "/server.lock";
  FolderLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.fd_ < 0) return Status::Io(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  if (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Status::Io(fmt::format("cannot lock {}: {}", path, std::strerror(errno)));
    return Status::Unavailable(fmt::format("{} holds {}", WhoHolds(lock.fd_), folder))
        .Help("a project has one server; stop that one first");
  }
  const std::string text = Json({{"pid", getpid()}, {"since", FormatUtc(Clock::System().Now())}}).dump() + "\n";
  if (ftruncate(lock.fd_, 0) != 0 || pwrite(lock.fd_, text.data(), text.size(), 0) < 0) {
    return Status::Io(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  }
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FolderLock::~FolderLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace mutirao::orchestration
