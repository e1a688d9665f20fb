#pragma once

#include <memory>

#include "formats/parquet/decode/value_decoder.h"

namespace mutirao::formats::parquet_decode {

/// Make the decoder of a column of numbers, dates, moments, decimals or booleans; null for types of other layouts.
std::unique_ptr<ValueDecoder> MakeFixedDecoder(const parquet::ColumnDescriptor& column, TypePtr type);

}  // namespace mutirao::formats::parquet_decode
