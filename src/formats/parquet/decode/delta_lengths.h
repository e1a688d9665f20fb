#pragma once

#include <cstdint>
#include <span>

#include <parquet/types.h>

namespace mutirao::formats::parquet_decode {

/// Check that a page of texts in DELTA_LENGTH_BYTE_ARRAY or DELTA_BYTE_ARRAY has no more lengths than values.
/// libparquet takes memory for as many as the page says of itself, which in a damaged page are billions.
///
/// Format: "Delta encoding" of Parquet's Encodings.md. Errors: none; false for a page that does not fit.
bool LengthsFitPage(parquet::Encoding::type encoding, std::span<const uint8_t> page, int64_t values);

}  // namespace mutirao::formats::parquet_decode
