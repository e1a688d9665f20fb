#include "formats/parquet/decode/output_bits.h"

#include <algorithm>

#include <arrow/api.h>
#include <arrow/util/bitmap_generate.h>

#include "columnar/arrow_status.h"
#include "formats/parquet/decode/value_decoder.h"

namespace mutirao::formats::parquet_decode {

void ValidRows::Append(std::span<const uint32_t> picks) {
  const auto nulls = std::ranges::count(picks, kNullPick);
  if (nulls == 0) return AppendAll(picks.size());
  if (bytes_.empty()) bytes_.assign(rows_, 1);
  bytes_.reserve(rows_ + picks.size());
  for (const uint32_t pick : picks) bytes_.push_back(pick != kNullPick ? 1 : 0);
  rows_ += picks.size();
  nulls_ += nulls;
}

Result<std::shared_ptr<arrow::Buffer>> ValidRows::Finish() {
  std::shared_ptr<arrow::Buffer> bitmap;
  if (nulls_ > 0) bitmap = MUTIRAO_TRY(PackBits(bytes_));
  bytes_.clear();
  rows_ = 0;
  nulls_ = 0;
  return bitmap;
}

Result<std::shared_ptr<arrow::Buffer>> PackBits(std::span<const uint8_t> bytes) {
  const auto count = static_cast<int64_t>(bytes.size());
  std::shared_ptr<arrow::Buffer> bitmap = MUTIRAO_TRY(arrow::AllocateEmptyBitmap(count));
  const uint8_t* next = bytes.data();
  arrow::internal::GenerateBitsUnrolled(bitmap->mutable_data(), 0, count, [&] { return *next++ != 0; });
  return bitmap;
}

}  // namespace mutirao::formats::parquet_decode
