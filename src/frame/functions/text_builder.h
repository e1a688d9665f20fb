#pragma once

#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

#include "frame/functions/values.h"

namespace mutirao::frame {

/// Build a string or binary array of a known number of rows, one Append a row in order.
///
/// Errors: more bytes than one array can address (2 GiB) are remembered and told by Finish.
class TextBuilder {
 public:
  static Result<TextBuilder> Make(int64_t rows, int64_t expected_bytes);

  void Append(std::string_view text) {
    char* at = Reserve(text.size());
    if (at == nullptr) return Commit(0);
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
    Commit(text.size());
  }

  /// Give room for `bytes` bytes of the row at hand, to be followed by Commit; null when the array is full.
  char* Reserve(size_t bytes) {
    if (size_ + bytes > capacity_ && !Grow(bytes)) return nullptr;
    return data_ + size_;
  }
  /// End the row after `bytes` bytes were written into what Reserve gave.
  void Commit(size_t bytes) {
    size_ += bytes;
    *++offset_ = static_cast<int32_t>(size_);
  }

  Result<ArrayPtr> Finish(const TypePtr& type, Nulls nulls);

 private:
  TextBuilder() = default;
  bool Grow(size_t bytes);

  int64_t rows_ = 0;
  std::shared_ptr<arrow::Buffer> offsets_;
  std::shared_ptr<arrow::ResizableBuffer> bytes_;
  int32_t* offset_ = nullptr;
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  bool full_ = false;
};

}  // namespace mutirao::frame
