#include "formats/parquet/encode/levels.h"

#include <algorithm>

#include <arrow/api.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include "formats/parquet/encode/bit_pack.h"
#include "formats/parquet/encode/column_values.h"
#include "formats/parquet/encode/rle_hybrid.h"

namespace mutirao::formats::parquet_encode {

void Levels::Begin(const Leaf& leaf) {
  leaf_ = &leaf;
  size_ = rows_ = 0;
  has_nulls_ = false;
  bits_.clear();
  definition_.clear();
  repetition_.clear();
}

Status Levels::Append(const arrow::ArrayData& field, ColumnValues& values) {
  if (field.length == 0) return Status::Ok();
  return leaf_->is_list() ? AppendLists(field, values) : AppendPlain(field, values);
}

Status Levels::AppendPlain(const arrow::ArrayData& field, ColumnValues& values) {
  bool nulls = field.GetNullCount() != 0;
  if (nulls && !leaf_->nullable[0])
    return Status::Invalid("a null in column " + leaf_->path[0] + ", which is required");
  const uint8_t* bits = nulls ? field.buffers[0]->data() : nullptr;
  if (nulls || has_nulls_) AppendBits(bits, field.offset, field.length);
  size_ += static_cast<size_t>(field.length);
  rows_ = size_;
  values.Append(field, 0, field.length, bits);
  return Status::Ok();
}

void Levels::AppendBits(const uint8_t* bits, int64_t offset, int64_t count) {
  auto before = static_cast<int64_t>(size_);
  bits_.resize(static_cast<size_t>(arrow::bit_util::BytesForBits(before + count)));
  if (!has_nulls_) arrow::bit_util::SetBitsTo(bits_.data(), 0, before, true);
  has_nulls_ = true;
  if (bits == nullptr) {
    arrow::bit_util::SetBitsTo(bits_.data(), before, count, true);
  } else {
    arrow::internal::CopyBitmap(bits, offset, count, bits_.data(), before);
  }
}

void Levels::PushLevel(uint8_t repetition, uint8_t definition) {
  repetition_.push_back(repetition);
  definition_.push_back(definition);
  if (repetition == 0) ++rows_;
}

void Levels::PushValue(int64_t index) {
  if (!ranges_.empty() && ranges_.back().start + ranges_.back().count == index) {
    ++ranges_.back().count;
  } else {
    ranges_.push_back({index, 1});
  }
}

// Emits the levels of one slot `depth` lists down. False for a null where none may be.
bool Levels::AppendSlot(size_t depth, const arrow::ArrayData& data, int64_t index, uint8_t repetition,
                        uint8_t definition) {
  bool valid = data.IsValid(index);
  if (!valid) {
    PushLevel(repetition, definition);
    return leaf_->nullable[depth];
  }
  if (leaf_->nullable[depth]) ++definition;
  if (depth + 1 == leaf_->nullable.size()) {
    PushLevel(repetition, definition);
    PushValue(index);
    return true;
  }
  const auto* offsets = data.GetValues<int32_t>(1);
  int64_t begin = offsets[index];
  int64_t end = offsets[index + 1];
  if (begin == end) PushLevel(repetition, definition);
  bool right = true;
  for (int64_t i = begin; i < end; ++i) {
    auto item_repetition = i == begin ? repetition : static_cast<uint8_t>(depth + 1);
    right &= AppendSlot(depth + 1, *data.child_data[0], i, item_repetition, static_cast<uint8_t>(definition + 1));
  }
  return right;
}

Status Levels::AppendLists(const arrow::ArrayData& field, ColumnValues& values) {
  ranges_.clear();
  bool right = true;
  for (int64_t i = 0; i < field.length; ++i) right &= AppendSlot(0, field, i, 0, 0);
  if (!right) return Status::Invalid("a null in the lists of column " + leaf_->path[0] + ", where none may be");
  const arrow::ArrayData* bottom = &field;
  for (int i = 0; i < leaf_->max_repetition; ++i) bottom = bottom->child_data[0].get();
  for (const Range& range : ranges_) values.Append(*bottom, range.start, range.count, nullptr);
  size_ = definition_.size();
  return Status::Ok();
}

size_t Levels::CountValues(size_t begin, size_t end) const {
  if (leaf_->is_list()) {
    return static_cast<size_t>(std::count(definition_.begin() + static_cast<ptrdiff_t>(begin),
                                          definition_.begin() + static_cast<ptrdiff_t>(end),
                                          static_cast<uint8_t>(leaf_->max_definition)));
  }
  if (!has_nulls_) return end - begin;
  return static_cast<size_t>(
      arrow::internal::CountSetBits(bits_.data(), static_cast<int64_t>(begin), static_cast<int64_t>(end - begin)));
}

size_t Levels::CountRows(size_t begin, size_t end) const {
  if (!leaf_->is_list()) return end - begin;
  return static_cast<size_t>(std::count(repetition_.begin() + static_cast<ptrdiff_t>(begin),
                                        repetition_.begin() + static_cast<ptrdiff_t>(end), uint8_t{0}));
}

size_t Levels::NextRow(size_t level) const {
  if (!leaf_->is_list()) return level;
  while (level < size_ && repetition_[level] != 0) ++level;
  return level;
}

void Levels::EncodeBytes(const std::vector<uint8_t>& levels, size_t begin, size_t end, int max, ByteBuffer& out) {
  wide_.assign(levels.begin() + static_cast<ptrdiff_t>(begin), levels.begin() + static_cast<ptrdiff_t>(end));
  EncodeHybrid(wide_.data(), wide_.size(), BitWidth(static_cast<uint64_t>(max)), out);
}

void Levels::Encode(size_t begin, size_t end, ByteBuffer& out) {
  // Each kind of levels is preceded by its length in four bytes.
  auto framed = [&out](auto&& encode) {
    size_t length_at = out.size();
    out.Extend(4);
    encode();
    auto length = static_cast<uint32_t>(out.size() - length_at - 4);
    std::memcpy(out.data() + length_at, &length, 4);
  };
  if (leaf_->is_list()) {
    framed([&] { EncodeBytes(repetition_, begin, end, leaf_->max_repetition, out); });
    framed([&] { EncodeBytes(definition_, begin, end, leaf_->max_definition, out); });
  } else if (leaf_->max_definition > 0 && !has_nulls_) {
    framed([&] { EncodeRun(1, end - begin, 1, out); });
  } else if (leaf_->max_definition > 0) {
    auto count = static_cast<int64_t>(end - begin);
    page_bits_.assign(static_cast<size_t>(arrow::bit_util::BytesForBits(count)), 0);
    arrow::internal::CopyBitmap(bits_.data(), static_cast<int64_t>(begin), count, page_bits_.data(), 0);
    framed([&] { EncodeHybridBits(page_bits_.data(), end - begin, out); });
  }
}

}  // namespace mutirao::formats::parquet_encode
