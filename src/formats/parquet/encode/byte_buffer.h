#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace mutirao::formats::parquet_encode {

/// Hold bytes that grow at the end; unlike a vector it leaves new bytes unset. Cost: growth doubles.
class ByteBuffer {
 public:
  /// Make room for `count` more bytes and count them in; gives where they start. Earlier pointers become stale.
  uint8_t* Extend(size_t count) {
    if (size_ + count > capacity_) Grow(size_ + count);
    uint8_t* at = bytes_.get() + size_;
    size_ += count;
    return at;
  }

  void Append(const void* bytes, size_t count) {
    if (count != 0) std::memcpy(Extend(count), bytes, count);
  }

  template <typename T>
  void AppendValue(T value) {
    std::memcpy(Extend(sizeof value), &value, sizeof value);
  }

  /// ULEB128, seven bits a byte, lowest first.
  void AppendVarint(uint64_t value) {
    while (value >= 0x80) {
      *Extend(1) = static_cast<uint8_t>(value | 0x80);
      value >>= 7;
    }
    *Extend(1) = static_cast<uint8_t>(value);
  }

  void Clear() { size_ = 0; }
  /// REQUIRES: size <= size().
  void Truncate(size_t size) { size_ = size; }

  uint8_t* data() { return bytes_.get(); }
  const uint8_t* data() const { return bytes_.get(); }
  size_t size() const { return size_; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.get()), size_}; }

 private:
  void Grow(size_t needed) {
    size_t capacity = capacity_ == 0 ? 1024 : capacity_ * 2;
    if (capacity < needed) capacity = needed;
    std::unique_ptr<uint8_t[]> grown(new uint8_t[capacity]);
    if (size_ != 0) std::memcpy(grown.get(), bytes_.get(), size_);
    bytes_ = std::move(grown);
    capacity_ = capacity;
  }

  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace mutirao::formats::parquet_encode
