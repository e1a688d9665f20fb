#include "frame/functions/text_builder.h"

#include <algorithm>

namespace mutirao::frame {

Result<TextBuilder> TextBuilder::Make(int64_t rows, int64_t expected_bytes) {
  TextBuilder builder;
  builder.rows_ = rows;
  builder.offsets_ = MUTIRAO_TRY(arrow::AllocateBuffer((rows + 1) * static_cast<int64_t>(sizeof(int32_t))));
  builder.bytes_ =
      MUTIRAO_TRY(arrow::AllocateResizableBuffer(std::clamp<int64_t>(expected_bytes, 64, int64_t{1} << 30)));
  builder.offset_ = reinterpret_cast<int32_t*>(builder.offsets_->mutable_data());
  *builder.offset_ = 0;
  builder.data_ = reinterpret_cast<char*>(builder.bytes_->mutable_data());
  builder.capacity_ = static_cast<size_t>(builder.bytes_->size());
  return builder;
}

bool TextBuilder::Grow(size_t bytes) {
  constexpr size_t kMostBytes = std::numeric_limits<int32_t>::max();
  if (full_ || bytes > kMostBytes - size_) {
    full_ = true;
    return false;
  }
  size_t wanted = std::min(kMostBytes, std::max(size_ + bytes, capacity_ * 2));
  if (!bytes_->Resize(static_cast<int64_t>(wanted), false).ok()) {
    full_ = true;
    return false;
  }
  data_ = reinterpret_cast<char*>(bytes_->mutable_data());
  capacity_ = wanted;
  return true;
}

Result<ArrayPtr> TextBuilder::Finish(const TypePtr& type, Nulls nulls) {
  if (full_) {
    return Status::Exhausted("the texts of one batch take more than 2 GiB").Help("make batches smaller");
  }
  MUTIRAO_TRY(bytes_->Resize(static_cast<int64_t>(size_), true));
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, rows_, {std::move(nulls.bitmap), offsets_, bytes_}, nulls.count));
}

}  // namespace mutirao::frame
