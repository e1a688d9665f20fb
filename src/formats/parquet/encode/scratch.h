#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>

namespace mutirao::formats::parquet_encode {

/// Hold the values of one column chunk after the other in memory that is reused and never set to zero.
template <typename T>
class Scratch {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// Make room for `count` more; gives where they start. Earlier pointers become stale.
  T* Extend(size_t count) {
    if (size_ + count > capacity_) Grow(size_ + count);
    T* at = values_.get() + size_;
    size_ += count;
    return at;
  }
  void Clear() { size_ = 0; }
  /// REQUIRES: size <= size().
  void Truncate(size_t size) { size_ = size; }

  T* data() { return values_.get(); }
  const T* data() const { return values_.get(); }
  size_t size() const { return size_; }
  T operator[](size_t i) const { return values_[i]; }

 private:
  void Grow(size_t needed) {
    size_t capacity = capacity_ * 2 < needed ? needed : capacity_ * 2;
    std::unique_ptr<T[]> grown(new T[capacity]);
    if (size_ != 0) std::memcpy(grown.get(), values_.get(), size_ * sizeof(T));
    values_ = std::move(grown);
    capacity_ = capacity;
  }

  std::unique_ptr<T[]> values_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace mutirao::formats::parquet_encode
