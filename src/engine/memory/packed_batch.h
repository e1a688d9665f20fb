#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "columnar/type.h"

namespace mutirao::engine {

/// What packed rows are for.
enum class Packing : uint8_t {
  kSmall,   ///< read once: little more than the values. A text takes one byte more than its characters, none where all
            ///< have the same length; a decimal takes eight where it has no more than 18 digits
  kMapped,  ///< mapped by whoever reads them, and kept: numbers and offsets as they lie in memory
};

/// Rows that go to disk and come back, in the same process or in another one of the same build: what is to be written,
/// one piece behind the other. Most pieces are the batch's own memory, so that packing costs about what writing does;
/// compressing them (LZ4) took some ten times as long and saved a tenth.
struct PackedBatch {
  std::vector<std::span<const std::byte>> pieces;
  std::vector<std::shared_ptr<const void>> owners;  ///< what the pieces point into
  int64_t bytes = 0;                                ///< of all pieces
};

/// In a file that is mapped, packed rows begin at multiples of this.
constexpr int64_t kPackedAlignment = 16;

Result<PackedBatch> PackBatch(const arrow::RecordBatch& batch, Packing packing);

/// With an `owner` of the packed bytes, texts are not copied: they point into `packed` and keep the owner. So do
/// numbers and offsets of rows that were packed to be mapped, where `packed` begins at a multiple of kPackedAlignment.
/// Errors: kIo when the bytes are not those of a packed batch of so many rows and this schema.
Result<BatchPtr> UnpackBatch(const arrow::Buffer& packed, int64_t rows, const SchemaPtr& schema,
                             std::shared_ptr<const void> owner = nullptr);

}  // namespace mutirao::engine
