#pragma once

#include <cstddef>
#include <cstdint>

namespace mutirao::formats::parquet_decode {

/// Read Parquet's mix of repeated runs and bit-packed groups (encoding RLE) without its length and width.
class HybridReader {
 public:
  HybridReader() = default;
  /// Errors: none; a width over 32 gives no values.
  HybridReader(const uint8_t* data, size_t size, int width) : next_(data), end_(data + size), width_(width) {}

  /// Read the next `count` values; false when there are fewer.
  bool Read(uint32_t* out, size_t count);

  /// True when the next `count` values are all `value` and stand in one run, which is then passed over.
  bool SkipRunOf(uint32_t value, size_t count);

 private:
  bool NextRun();
  bool ReadLength(uint32_t* out);
  void Unpack(uint32_t* out, size_t count);

  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
  int width_ = 0;
  size_t left_ = 0;  // values of the run
  bool packed_ = false;
  uint32_t value_ = 0;               // of a repeated run
  const uint8_t* groups_ = nullptr;  // of a packed run
  size_t taken_ = 0;                 // values of it
};

}  // namespace mutirao::formats::parquet_decode
