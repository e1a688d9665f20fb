#pragma once

#include <memory>

#include "formats/parquet/decode/value_decoder.h"

namespace mutirao::formats::parquet_decode {

/// Make the decoder of a byte array column that becomes text or bytes with 32-bit offsets.
std::unique_ptr<ValueDecoder> MakeTextDecoder(const parquet::ColumnDescriptor& column, TypePtr type);

}  // namespace mutirao::formats::parquet_decode
