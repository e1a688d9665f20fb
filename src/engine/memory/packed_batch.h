#pragma once

#include <memory>

#include "columnar/type.h"

namespace mutirao::engine {

/// Write a batch into one piece of memory that takes little more than its values: what goes to disk and comes back, in
/// the same process or in another one of the same build. A text takes one byte more than its characters, none where all
/// have the same length; a decimal takes eight where it has no more than 18 digits.
///
/// Cost: about that of copying the values; compressing them (LZ4) took some ten times as long and saved a tenth.
Result<std::shared_ptr<arrow::Buffer>> PackBatch(const arrow::RecordBatch& batch);

/// With an `owner` of the packed bytes, texts are not copied: they point into `packed` and keep the owner.
/// Errors: kIo when the bytes are not those of a packed batch of so many rows and this schema.
Result<BatchPtr> UnpackBatch(const arrow::Buffer& packed, int64_t rows, const SchemaPtr& schema,
                             std::shared_ptr<const void> owner = nullptr);

}  // namespace mutirao::engine
