#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/parquet/encode/byte_buffer.h"

namespace mutirao::formats::parquet_encode {

/// Append `count` values of `width` bits each, lowest bit first, filled up with zeros to a multiple of 8 values.
/// REQUIRES: every value < 2^width, 0 <= width <= 32.
void PackBits(const uint32_t* values, size_t count, int width, ByteBuffer& out);

/// The same for values of up to 64 bits.
void PackBits64(const uint64_t* values, size_t count, int width, ByteBuffer& out);

/// Bits that the largest of some values needs; 0 for 0.
inline int BitWidth(uint64_t value) {
  return value == 0 ? 0 : 64 - __builtin_clzll(value);
}

}  // namespace mutirao::formats::parquet_encode
