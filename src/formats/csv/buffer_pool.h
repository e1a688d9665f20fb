#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mutirao::formats::csv {

/// Lend buffers and take them back, so that large ones are not cleared and mapped anew for every use.
///
/// Ownership: a buffer comes back when its last owner lets go, or is freed when the pool is gone.
/// Threads:   any, at once.
class BufferPool {
 public:
  BufferPool() : free_(std::make_shared<Free>()) {}

  /// Give a buffer of at least `size` bytes, whose content is whatever its last user left.
  std::shared_ptr<std::string> Get(size_t size) {
    std::unique_ptr<std::string> buffer = free_->Pop();
    if (!buffer) buffer = std::make_unique<std::string>();
    if (buffer->size() < size) buffer->resize(size);
    return {buffer.release(), [home = std::weak_ptr<Free>(free_)](std::string* used) {
              std::unique_ptr<std::string> owned(used);
              if (auto free = home.lock()) free->Push(std::move(owned));
            }};
  }

 private:
  struct Free {
    std::unique_ptr<std::string> Pop() {
      std::lock_guard lock(mutex);
      if (buffers.empty()) return nullptr;
      std::unique_ptr<std::string> buffer = std::move(buffers.back());
      buffers.pop_back();
      return buffer;
    }
    void Push(std::unique_ptr<std::string> buffer) {
      std::lock_guard lock(mutex);
      buffers.push_back(std::move(buffer));
    }

    std::mutex mutex;
    std::vector<std::unique_ptr<std::string>> buffers;  // guarded by mutex
  };

  std::shared_ptr<Free> free_;
};

}  // namespace mutirao::formats::csv
