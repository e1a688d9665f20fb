#pragma once

#include <vector>

#include "engine/keys/key_encoder.h"

namespace mutirao::engine {

/// Encode keys of columns without nulls whose values have one length each, as codes, dates and numbers have: then every
/// row's key is laid out alike, and is put together without looking at what stands where. Gives the keys and hashes
/// that KeyEncoder gives; false, and nothing of use, for columns that are others and keys of more than kInlineKeyBytes.
///
/// REQUIRES: no column has a null; keys and hashes have room for the rows.
bool EncodeCodes(const std::vector<ArrayPtr>& columns, int64_t rows, KeyBatch* out);

}  // namespace mutirao::engine
