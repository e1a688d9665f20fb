#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <mutirao/status.h>

namespace mutirao::engine {

/// A block of memory that is looked at here and there: it lies in pages of 2 MiB where the machine has them, so that
/// finding where a place is in memory does not cost more than reading it. It is given back at once when it is destroyed.
///
/// Threads: as memory. Errors: kExhausted.
class LargePages {
 public:
  LargePages() = default;
  LargePages(LargePages&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  LargePages& operator=(LargePages&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~LargePages();

  /// Get a block of zeros; no memory is taken before it is written to.
  static Result<LargePages> Allocate(size_t bytes);

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace mutirao::engine
