#pragma once

#include <cstdint>

#include "columnar/type.h"

namespace mutirao::engine {

/// Bytes of the rows of a batch: of a slice only its part, whatever its buffers hold besides.
int64_t BytesOfRows(const arrow::RecordBatch& batch);

/// Give a batch of the same rows that keeps no more alive than it needs: itself, or a copy when its buffers are much
/// larger than its rows (a slice of something big). `bytes` gets what it holds.
Result<BatchPtr> Compact(const BatchPtr& batch, int64_t* bytes);
Result<ArrayPtr> Compact(const ArrayPtr& array, int64_t* bytes);

}  // namespace mutirao::engine
