#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/buffer.h>

#include "columnar/type.h"

namespace mutirao::formats::parquet_decode {

/// Collect which rows of an array have a value. Costs nothing while all have. Threads: one at a time.
class ValidRows {
 public:
  void AppendAll(size_t count) {
    if (!bytes_.empty()) bytes_.resize(bytes_.size() + count, 1);
    rows_ += count;
  }
  /// Rows by their picks.
  void Append(std::span<const uint32_t> picks);
  int64_t nulls() const { return nulls_; }
  size_t rows() const { return rows_; }
  /// Give the bitmap, null when every row has a value, and begin anew.
  Result<std::shared_ptr<arrow::Buffer>> Finish();

 private:
  std::vector<uint8_t> bytes_;  // of all rows once there was a null
  size_t rows_ = 0;
  int64_t nulls_ = 0;
};

/// Pack bytes that are 0 or 1 into a bitmap.
Result<std::shared_ptr<arrow::Buffer>> PackBits(std::span<const uint8_t> bytes);

}  // namespace mutirao::formats::parquet_decode
