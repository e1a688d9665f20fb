#include "storage/local_store.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <mutex>

#include <fmt/format.h>

#include "storage/local_listing.h"
#include "storage/local_path.h"
#include "storage/system_error.h"

namespace mutirao::storage {
namespace {

class LocalObject : public Object {
 public:
  LocalObject(std::string uri, int fd, const struct stat& info) : uri_(std::move(uri)), fd_(fd), size_(info.st_size) {}
  ~LocalObject() override {
    if (map_ != nullptr) munmap(map_, static_cast<size_t>(size_));
    close(fd_);
  }
  LocalObject(const LocalObject&) = delete;
  LocalObject& operator=(const LocalObject&) = delete;

  int64_t size() const override { return size_; }
  const std::string& uri() const override { return uri_; }

  Result<int64_t> ReadAt(int64_t offset, std::span<std::byte> out) const override {
    size_t done = 0;
    while (done < out.size()) {
      ssize_t n = pread(fd_, out.data() + done, out.size() - done, offset + static_cast<int64_t>(done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return SystemError("reading", uri_, errno);
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return static_cast<int64_t>(done);
  }

  std::span<const std::byte> Mapped() const override {
    std::call_once(map_once_, [this] {
      if (size_ == 0) return;
      void* map = mmap(nullptr, static_cast<size_t>(size_), PROT_READ, MAP_PRIVATE, fd_, 0);
      if (map != MAP_FAILED) map_ = map;
    });
    if (map_ == nullptr) return {};
    return {static_cast<const std::byte*>(map_), static_cast<size_t>(size_)};
  }

 private:
  // Constant after construction.
  std::string uri_;
  int fd_;
  int64_t size_;

  mutable std::once_flag map_once_;
  mutable void* map_ = nullptr;
};

class Local : public Store {
 public:
  Result<std::vector<ObjectInfo>> List(const std::string& pattern) const override {
    auto path = MUTIRAO_TRY(LocalPath(pattern));
    return ListLocal(path);
  }

  Result<std::unique_ptr<Object>> Open(const std::string& uri) const override {
    auto path = MUTIRAO_TRY(LocalPath(uri));
    // O_NONBLOCK: opening a pipe must not wait for a writer; it means nothing for files.
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) return NoSuchPath(path);
    if (fd < 0) return SystemError("opening", path, errno);
    struct stat info {};
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
      int error = errno;
      bool known = info.st_mode != 0;
      close(fd);
      if (!known) return SystemError("opening", path, error);
      return NotAFile(path, info.st_mode);
    }
    return std::unique_ptr<Object>(std::make_unique<LocalObject>(path, fd, info));
  }
};

}  // namespace

const Store* LocalStore() {
  static const Local store;
  return &store;
}

}  // namespace mutirao::storage
