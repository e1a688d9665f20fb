#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/parquet/encode/byte_buffer.h"

namespace mutirao::formats::parquet_encode {

/// Append values as Parquet's mix of repeated runs and bit-packed groups (encoding RLE), without length or width.
/// REQUIRES: every value < 2^width, 1 <= width <= 32.
void EncodeHybrid(const uint32_t* values, size_t count, int width, ByteBuffer& out);

/// The same for values of one bit that are packed already, as validity bitmaps are: the groups are their bytes.
/// REQUIRES: bits of the last byte past `count` are zero.
void EncodeHybridBits(const uint8_t* bits, size_t count, ByteBuffer& out);

/// One run of the same value. REQUIRES: count > 0.
void EncodeRun(uint32_t value, size_t count, int width, ByteBuffer& out);

}  // namespace mutirao::formats::parquet_encode
