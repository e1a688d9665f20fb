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

// So much behind what is read stays in the page cache in any case: readers beside this one may not be as far.
constexpr int64_t kBehindBytes = int64_t{64} << 20;

// The first byte that need not stay in the page cache.
int64_t CachedUntil(int64_t size, const Reading& reading) {
  return reading.cached_share >= 1 ? size : static_cast<int64_t>(reading.cached_share * static_cast<double>(size));
}

class LocalObject : public Object {
 public:
  LocalObject(std::string uri, int fd, const struct stat& info, Reading reading)
      : uri_(std::move(uri)), fd_(fd), size_(info.st_size), cached_until_(CachedUntil(size_, reading)) {}
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
    if (cached_until_ < size_) LetGoBehind(offset, offset + static_cast<int64_t>(done));
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
  // Whoever reads across a stretch's end lets the one before it go. Of data larger than memory the kernel would have to
  // find room for each page, and pages that others use would go.
  void LetGoBehind(int64_t begin, int64_t end) const {
    for (int64_t stretch = begin / kBehindBytes; stretch < end / kBehindBytes; ++stretch) {
      const int64_t behind = (stretch - 1) * kBehindBytes;
      if (behind >= cached_until_) posix_fadvise(fd_, behind, kBehindBytes, POSIX_FADV_DONTNEED);
    }
  }

  // Constant after construction.
  std::string uri_;
  int fd_;
  int64_t size_;
  int64_t cached_until_;

  mutable std::once_flag map_once_;
  mutable void* map_ = nullptr;
};

class Local : public Store {
 public:
  using Store::Open;
  Result<std::vector<ObjectInfo>> List(const std::string& pattern) const override {
    auto path = MUTIRAO_TRY(LocalPath(pattern));
    return ListLocal(path);
  }

  Result<std::unique_ptr<Object>> Open(const std::string& uri, Reading reading) const override {
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
    return std::unique_ptr<Object>(std::make_unique<LocalObject>(path, fd, info, reading));
  }
};

}  // namespace

const Store* LocalStore() {
  static const Local store;
  return &store;
}

}  // namespace mutirao::storage
