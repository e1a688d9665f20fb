#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include <mutirao/status.h>

namespace mutirao::engine {

/// Whether texts of one length share their offsets with those of other batches: when they are short, and many.
bool SharesOffsets(uint32_t length, int64_t rows);

/// The offsets of so many texts that all have one length, or of more of them. Those that are shared are made once and
/// stay, so that nobody has to know who was the last to use them: 16 MiB at the very most. Threads: any.
Result<std::shared_ptr<arrow::Buffer>> OffsetsOfOneLength(uint32_t length, int64_t rows);

}  // namespace mutirao::engine
