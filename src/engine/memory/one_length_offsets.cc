#include "engine/memory/one_length_offsets.h"

#include <array>
#include <bit>
#include <mutex>

#include <arrow/buffer.h>

#include "columnar/arrow_status.h"

namespace mutirao::engine {
namespace {

using BufferPtr = std::shared_ptr<arrow::Buffer>;

constexpr uint32_t kSharedLengths = 32;
constexpr int64_t kLeastShared = int64_t{1} << 10;
constexpr int64_t kMostShared = int64_t{1} << 16;

Result<BufferPtr> MakeOffsets(uint32_t length, int64_t rows) {
  BufferPtr offsets = MUTIRAO_TRY(arrow::AllocateBuffer((rows + 1) * 4));
  auto* const ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
  for (int64_t row = 0; row <= rows; ++row) ends[row] = static_cast<int32_t>(row * length);
  return offsets;
}

}  // namespace

bool SharesOffsets(uint32_t length, int64_t rows) {
  return length < kSharedLengths && rows >= kLeastShared && rows <= kMostShared;
}

// Those for a power of two of rows serve down to half as many: longer ones would be taken for memory that a few rows
// keep.
Result<BufferPtr> OffsetsOfOneLength(uint32_t length, int64_t rows) {
  if (!SharesOffsets(length, rows)) return MakeOffsets(length, rows);
  static constexpr auto kSizes = static_cast<size_t>(std::bit_width(static_cast<uint64_t>(kMostShared)));
  static std::mutex mutex;
  static auto& shared = *new std::array<std::array<BufferPtr, kSizes>, kSharedLengths>();
  const auto room = std::bit_ceil(static_cast<uint64_t>(rows));
  const std::lock_guard lock(mutex);
  BufferPtr& offsets = shared[length][static_cast<size_t>(std::countr_zero(room))];
  if (offsets == nullptr) offsets = MUTIRAO_TRY(MakeOffsets(length, static_cast<int64_t>(room)));
  return offsets;
}

}  // namespace mutirao::engine
