#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/parquet/encode/byte_buffer.h"

namespace mutirao::formats::parquet_encode {

/// Append numbers as differences from one to the next (DELTA_BINARY_PACKED): blocks of 128 in four parts, each part
/// packed with as many bits as its largest difference above the block's smallest needs.
void EncodeDelta(const int32_t* values, size_t count, ByteBuffer& out);
void EncodeDelta(const int64_t* values, size_t count, ByteBuffer& out);

}  // namespace mutirao::formats::parquet_encode
