#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/keys/key.h"

namespace mutirao::engine {

/// Own the bytes of long keys, in blocks that many share. Threads: one at a time.
class KeyBytes {
 public:
  /// Give a key that is equal and points to bytes of this; a short one as it is.
  Key Own(const Key& key) {
    if (!IsLong(key)) return key;
    const size_t length = LongKeyLength(key);
    if (length > free_bytes_) {
      const size_t block = std::max(kBlockBytes, length);
      blocks_.push_back(std::make_unique_for_overwrite<uint8_t[]>(block));
      free_ = blocks_.back().get();
      free_bytes_ = block;
      bytes_ += static_cast<int64_t>(block);
    }
    std::memcpy(free_, LongKeyBytes(key), length);
    const Key own{reinterpret_cast<uint64_t>(free_), key.b};
    free_ += length;
    free_bytes_ -= length;
    return own;
  }
  int64_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kBlockBytes = size_t{1} << 18;
  std::vector<std::unique_ptr<uint8_t[]>> blocks_;
  uint8_t* free_ = nullptr;
  size_t free_bytes_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace mutirao::engine
