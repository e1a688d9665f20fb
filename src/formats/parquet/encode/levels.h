#pragma once

#include <cstdint>
#include <vector>

#include "columnar/type.h"
#include "formats/parquet/encode/byte_buffer.h"
#include "formats/parquet/encode/leaf.h"

namespace mutirao::formats::parquet_encode {

class ColumnValues;

/// Keep what says where the values of a column chunk belong: for plain columns a bitmap of which rows have one, for
/// lists the definition and repetition levels.
class Levels {
 public:
  /// Begin a chunk. `leaf` must outlive it.
  void Begin(const Leaf& leaf);

  /// Take the field's array of one batch and hand its present values to `values`.
  /// Errors: kInvalid for a null in a field that is not nullable.
  Status Append(const arrow::ArrayData& field, ColumnValues& values);

  /// Levels so far: one a row, but for lists one an item, an empty list or a null.
  size_t size() const { return size_; }
  size_t rows() const { return rows_; }

  /// Values among the levels [begin, end).
  size_t CountValues(size_t begin, size_t end) const;
  size_t CountRows(size_t begin, size_t end) const;
  /// The first level at or after `level` that begins a row.
  size_t NextRow(size_t level) const;

  /// Append the levels [begin, end) as a data page of version 1 holds them, before its values.
  void Encode(size_t begin, size_t end, ByteBuffer& out);

 private:
  Status AppendPlain(const arrow::ArrayData& field, ColumnValues& values);
  void AppendBits(const uint8_t* bits, int64_t offset, int64_t count);
  Status AppendLists(const arrow::ArrayData& field, ColumnValues& values);
  bool AppendSlot(size_t depth, const arrow::ArrayData& data, int64_t index, uint8_t repetition, uint8_t definition);
  void PushLevel(uint8_t repetition, uint8_t definition);
  void PushValue(int64_t index);
  void EncodeBytes(const std::vector<uint8_t>& levels, size_t begin, size_t end, int max, ByteBuffer& out);

  struct Range {
    int64_t start;
    int64_t count;
  };

  const Leaf* leaf_ = nullptr;
  size_t size_ = 0;
  size_t rows_ = 0;
  // Of plain columns: a bit a row, kept from the first null on.
  bool has_nulls_ = false;
  std::vector<uint8_t> bits_;
  // Of lists.
  std::vector<uint8_t> definition_;
  std::vector<uint8_t> repetition_;
  std::vector<Range> ranges_;
  // Scratch.
  std::vector<uint8_t> page_bits_;
  std::vector<uint32_t> wide_;
};

}  // namespace mutirao::formats::parquet_encode
