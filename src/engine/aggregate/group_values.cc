#include "engine/aggregate/group_values.h"

#include <algorithm>
#include <cstring>

#include <arrow/api.h>

#include "columnar/arrow_status.h"

namespace mutirao::engine {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 18;

}  // namespace

char* TextGroupValues::Allocate(size_t bytes) {
  // A long text has a block of its own, and the rest of the one in use is not lost.
  if (bytes > kBlockBytes / 8) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    block_bytes_ += bytes;
    return blocks_.back().get();
  }
  if (bytes > free_bytes_) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlockBytes));
    free_ = blocks_.back().get();
    free_bytes_ = kBlockBytes;
    block_bytes_ += kBlockBytes;
  }
  char* const place = free_;
  free_ += bytes;
  free_bytes_ -= bytes;
  return place;
}

void TextGroupValues::Set(size_t group, std::string_view value) {
  Slot& slot = slots_[group];
  const auto length = static_cast<uint32_t>(value.size());
  const uint32_t capacity = slot.is_far ? slot.capacity : kNearBytes;
  if (length > capacity) {
    const size_t wanted = slot.is_far ? std::max<size_t>(length, size_t{capacity} * 2) : length;
    slot.far = Allocate(wanted);
    slot.capacity = static_cast<uint32_t>(std::min<size_t>(wanted, UINT32_MAX));
    slot.is_far = 1;
  }
  if (length > 0) std::memcpy(slot.is_far ? slot.far : slot.near, value.data(), length);
  slot.length = length;
}

Result<ArrayPtr> TextGroupValues::Finish(const TypePtr& type, const std::vector<uint8_t>& valid) const {
  int64_t bytes = 0;
  for (size_t i = 0; i < valid.size(); ++i) bytes += valid[i] ? slots_[i].length : 0;
  if (bytes > INT32_MAX) return Status::Exhausted("texts of one part of the groups have over 2^31 bytes");
  const auto rows = static_cast<int64_t>(valid.size());
  std::shared_ptr<arrow::Buffer> validity = MUTIRAO_TRY(MakeBitmap(valid));
  std::shared_ptr<arrow::Buffer> offsets =
      MUTIRAO_TRY(arrow::AllocateBuffer((rows + 1) * static_cast<int64_t>(sizeof(int32_t))));
  std::shared_ptr<arrow::Buffer> text = MUTIRAO_TRY(arrow::AllocateBuffer(bytes));
  auto* const begins = reinterpret_cast<int32_t*>(offsets->mutable_data());
  int32_t at = 0;
  for (size_t i = 0; i < valid.size(); ++i) {
    begins[i] = at;
    const std::string_view value = (*this)[i];
    if (!valid[i] || value.empty()) continue;
    std::memcpy(text->mutable_data() + at, value.data(), value.size());
    at += static_cast<int32_t>(value.size());
  }
  begins[rows] = at;
  return arrow::MakeArray(arrow::ArrayData::Make(type, rows, {validity, offsets, text}));
}

}  // namespace mutirao::engine
