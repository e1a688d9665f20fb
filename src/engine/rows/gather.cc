#include "engine/rows/gather.h"

#include <algorithm>
#include <cstring>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_generate.h>

#include "columnar/arrow_status.h"
#include "engine/rows/column_view.h"

namespace mutirao::engine {
namespace {

// Memory is asked for so many rows before it is used.
constexpr size_t kAhead = 16;

// Copy a text; most are short, and then a call costs more than the copying.
inline void CopyText(uint8_t* to, const uint8_t* from, size_t length) {
  if (length > 32) {
    std::memcpy(to, from, length);
  } else if (length >= 16) {
    std::memcpy(to, from, 16);
    std::memcpy(to + length - 16, from + length - 16, 16);
  } else if (length >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + length - 8, from + length - 8, 8);
  } else if (length >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + length - 4, from + length - 4, 4);
  } else {
    for (size_t i = 0; i < length; ++i) to[i] = from[i];
  }
}

Status TooMuchText() {
  return Status::Exhausted("the text of one column in one batch is over 2 GiB");
}

template <typename T>
Result<ArrayPtr> TakeFixedRows(const arrow::ArrayData& data, std::span<const uint32_t> rows,
                               std::shared_ptr<arrow::Buffer> validity) {
  const auto count = static_cast<int64_t>(rows.size());
  std::shared_ptr<arrow::Buffer> values = MUTIRAO_TRY(arrow::AllocateBuffer(count * static_cast<int64_t>(sizeof(T))));
  const FixedView<T> view(data);
  auto* out = reinterpret_cast<T*>(values->mutable_data());
  for (size_t i = 0; i < rows.size(); ++i) std::memcpy(out + i, view.values + rows[i], sizeof(T));
  return arrow::MakeArray(arrow::ArrayData::Make(data.type, count, {std::move(validity), std::move(values)}));
}

// Rows that follow each other are copied at once.
Result<ArrayPtr> TakeTextRows(const arrow::ArrayData& data, std::span<const uint32_t> rows,
                              std::shared_ptr<arrow::Buffer> validity) {
  const auto count = static_cast<int64_t>(rows.size());
  const BytesView view(data);
  std::shared_ptr<arrow::Buffer> offsets = MUTIRAO_TRY(arrow::AllocateBuffer((count + 1) * 4));
  auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
  int64_t total = 0;
  ends[0] = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    total += view.length(rows[i]);
    ends[i + 1] = static_cast<int32_t>(total);
  }
  if (total > INT32_MAX) return TooMuchText();
  std::shared_ptr<arrow::Buffer> bytes = MUTIRAO_TRY(arrow::AllocateBuffer(total));
  uint8_t* out = bytes->mutable_data();
  for (size_t begin = 0; begin < rows.size();) {
    size_t end = begin + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    CopyText(out + ends[begin], view.data(rows[begin]), static_cast<size_t>(ends[end] - ends[begin]));
    begin = end;
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(data.type, count, {std::move(validity), std::move(offsets), std::move(bytes)}));
}

Result<std::shared_ptr<arrow::Buffer>> TakeValidityRows(const arrow::ArrayData& data, std::span<const uint32_t> rows) {
  const Validity valid(data);
  if (valid.all_valid()) return std::shared_ptr<arrow::Buffer>();
  std::shared_ptr<arrow::Buffer> buffer = MUTIRAO_TRY(arrow::AllocateBitmap(static_cast<int64_t>(rows.size())));
  size_t at = 0;
  arrow::internal::GenerateBitsUnrolled(buffer->mutable_data(), 0, static_cast<int64_t>(rows.size()),
                                        [&] { return valid(rows[at++]); });
  return buffer;
}

}  // namespace

Gather::Gather(TypePtr type, std::vector<ArrayPtr> chunks, Use use)
    : type_(std::move(type)), arrays_(std::move(chunks)) {
  static constexpr int kWidths[] = {0, 1, 2, 4, 8, 8, 16, 4, 0};
  const int width = kWidths[static_cast<int>(PhysicalOf(*type_))];
  for (const ArrayPtr& array : arrays_) {
    const arrow::ArrayData& data = *array->data();
    Chunk chunk{.offset = data.offset};
    if (PhysicalOf(*type_) != Physical::kOther) {
      if (data.buffers[1]) chunk.values = data.buffers[1]->data() + data.offset * width;
      if (data.buffers.size() > 2 && data.buffers[2]) chunk.bytes = data.buffers[2]->data();
    }
    if (array->null_count() > 0 && data.buffers[0]) {
      chunk.validity = data.buffers[0]->data();
      has_nulls_ = true;
    }
    chunks_.push_back(chunk);
  }
  if (use == Use::kOften && PhysicalOf(*type_) == Physical::kBytes) LookForOneLength();
}

void Gather::LookForOneLength() {
  for (size_t i = 0; i < chunks_.size(); ++i) {
    const auto* offsets = reinterpret_cast<const int32_t*>(chunks_[i].values);
    const int64_t rows = arrays_[i]->length();
    if (rows == 0) continue;
    const int32_t length = one_length_ >= 0 ? one_length_ : offsets[1] - offsets[0];
    // Most that differ do so soon, and those that do not are added up quickly.
    constexpr int64_t kAtOnce = 1024;
    for (int64_t begin = 0; begin < rows; begin += kAtOnce) {
      const int64_t end = std::min(begin + kAtOnce, rows);
      int32_t differing = 0;
      for (int64_t row = begin; row < end; ++row) differing |= (offsets[row + 1] - offsets[row]) ^ length;
      if (differing != 0) {
        one_length_ = -1;
        return;
      }
    }
    one_length_ = length;
  }
  if (one_length_ >= 0) LetOffsetsGo();
}

// Where texts lie is computed from now on, and four bytes a row need not be kept.
void Gather::LetOffsetsGo() {
  for (size_t i = 0; i < chunks_.size(); ++i) {
    const arrow::ArrayData& data = *arrays_[i]->data();
    const int32_t first = data.length > 0 ? *reinterpret_cast<const int32_t*>(chunks_[i].values) : 0;
    chunks_[i].values = chunks_[i].bytes + first;
    buffers_.push_back(data.buffers[0]);
    buffers_.push_back(data.buffers[2]);
  }
  arrays_.clear();
}

Result<std::shared_ptr<arrow::Buffer>> Gather::TakeValidity(std::span<const RowRef> rows, int64_t* nulls) const {
  *nulls = 0;
  const bool has_none = std::find(rows.begin(), rows.end(), kNoRow) != rows.end();
  if (!has_nulls_ && !has_none) return std::shared_ptr<arrow::Buffer>();
  std::shared_ptr<arrow::Buffer> buffer = MUTIRAO_TRY(arrow::AllocateEmptyBitmap(static_cast<int64_t>(rows.size())));
  uint8_t* bits = buffer->mutable_data();
  int64_t valid = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == kNoRow) continue;
    const Chunk& chunk = chunks_[rows[i].chunk];
    if (chunk.validity == nullptr || arrow::bit_util::GetBit(chunk.validity, chunk.offset + rows[i].row)) {
      arrow::bit_util::SetBit(bits, static_cast<int64_t>(i));
      ++valid;
    }
  }
  *nulls = static_cast<int64_t>(rows.size()) - valid;
  return buffer;
}

template <typename T>
Result<ArrayPtr> Gather::TakeFixed(std::span<const RowRef> rows) const {
  int64_t nulls = 0;
  auto validity = MUTIRAO_TRY(TakeValidity(rows, &nulls));
  std::shared_ptr<arrow::Buffer> values =
      MUTIRAO_TRY(arrow::AllocateBuffer(static_cast<int64_t>(rows.size() * sizeof(T))));
  T* out = reinterpret_cast<T*>(values->mutable_data());
  const auto place = [&](const RowRef& row) { return chunks_[row.chunk].values + size_t{row.row} * sizeof(T); };
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size() && rows[i + kAhead] != kNoRow) __builtin_prefetch(place(rows[i + kAhead]));
    if (rows[i] == kNoRow) {
      out[i] = 0;
      continue;
    }
    std::memcpy(out + i, place(rows[i]), sizeof(T));
  }
  return arrow::MakeArray(arrow::ArrayData::Make(type_, static_cast<int64_t>(rows.size()), {validity, values}, nulls));
}

Result<ArrayPtr> Gather::TakeBool(std::span<const RowRef> rows) const {
  int64_t nulls = 0;
  auto validity = MUTIRAO_TRY(TakeValidity(rows, &nulls));
  std::shared_ptr<arrow::Buffer> values = MUTIRAO_TRY(arrow::AllocateEmptyBitmap(static_cast<int64_t>(rows.size())));
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == kNoRow) continue;
    const Chunk& chunk = chunks_[rows[i].chunk];
    if (arrow::bit_util::GetBit(chunk.values, chunk.offset + rows[i].row)) {
      arrow::bit_util::SetBit(values->mutable_data(), static_cast<int64_t>(i));
    }
  }
  return arrow::MakeArray(arrow::ArrayData::Make(type_, static_cast<int64_t>(rows.size()), {validity, values}, nulls));
}

Result<ArrayPtr> Gather::TakeBytes(std::span<const RowRef> rows) const {
  int64_t nulls = 0;
  auto validity = MUTIRAO_TRY(TakeValidity(rows, &nulls));
  std::shared_ptr<arrow::Buffer> offsets =
      MUTIRAO_TRY(arrow::AllocateBuffer(static_cast<int64_t>((rows.size() + 1) * 4)));
  auto* ends = reinterpret_cast<int32_t*>(offsets->mutable_data());
  ends[0] = 0;
  std::shared_ptr<arrow::Buffer> bytes;
  MUTIRAO_TRY(one_length_ >= 0 ? CopyTextsOfOneLength(rows, ends, &bytes) : CopyTexts(rows, ends, &bytes));
  return arrow::MakeArray(
      arrow::ArrayData::Make(type_, static_cast<int64_t>(rows.size()), {validity, offsets, bytes}, nulls));
}

// Memory is what it waits for: first for where each text lies, then for the text.
Status Gather::CopyTexts(std::span<const RowRef> rows, int32_t* ends, std::shared_ptr<arrow::Buffer>* bytes) const {
  const auto place = [&](const RowRef& row) {
    return reinterpret_cast<const int32_t*>(chunks_[row.chunk].values) + row.row;
  };
  int64_t total = 0;
  std::vector<const uint8_t*> texts(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size() && rows[i + kAhead] != kNoRow) __builtin_prefetch(place(rows[i + kAhead]));
    if (rows[i] != kNoRow) {
      const int32_t* from = place(rows[i]);
      texts[i] = chunks_[rows[i].chunk].bytes + from[0];
      total += from[1] - from[0];
    }
    ends[i + 1] = static_cast<int32_t>(total);
  }
  if (total > INT32_MAX) return TooMuchText();
  *bytes = MUTIRAO_TRY(arrow::AllocateBuffer(total));
  uint8_t* const out = (*bytes)->mutable_data();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size()) __builtin_prefetch(texts[i + kAhead]);
    CopyText(out + ends[i], texts[i], static_cast<size_t>(ends[i + 1] - ends[i]));
  }
  return {};
}

Status Gather::CopyTextsOfOneLength(std::span<const RowRef> rows, int32_t* ends,
                                    std::shared_ptr<arrow::Buffer>* bytes) const {
  const auto length = static_cast<size_t>(one_length_);
  if (rows.size() * length > INT32_MAX) return TooMuchText();
  *bytes = MUTIRAO_TRY(arrow::AllocateBuffer(static_cast<int64_t>(rows.size() * length)));
  uint8_t* out = (*bytes)->mutable_data();
  const auto text = [&](const RowRef& row) { return chunks_[row.chunk].values + row.row * length; };
  size_t total = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size() && rows[i + kAhead] != kNoRow) __builtin_prefetch(text(rows[i + kAhead]));
    if (rows[i] != kNoRow) {
      CopyText(out + total, text(rows[i]), length);
      total += length;
    }
    ends[i + 1] = static_cast<int32_t>(total);
  }
  return {};
}

Result<ArrayPtr> Gather::TakeOther(std::span<const RowRef> rows) const {
  auto builder = MUTIRAO_TRY(arrow::MakeBuilder(type_));
  for (const RowRef& row : rows) {
    if (row == kNoRow) {
      MUTIRAO_TRY(builder->AppendNull());
      continue;
    }
    MUTIRAO_TRY(builder->AppendArraySlice(arrow::ArraySpan(*arrays_[row.chunk]->data()), row.row, 1));
  }
  return MUTIRAO_TRY(builder->Finish());
}

Result<ArrayPtr> Gather::Take(std::span<const RowRef> rows) const {
  switch (PhysicalOf(*type_)) {
    case Physical::kBool:
      return TakeBool(rows);
    case Physical::kInt8:
      return TakeFixed<int8_t>(rows);
    case Physical::kInt16:
      return TakeFixed<int16_t>(rows);
    case Physical::kInt32:
      return TakeFixed<int32_t>(rows);
    case Physical::kInt64:
    case Physical::kDouble:
      return TakeFixed<int64_t>(rows);
    case Physical::kDecimal:
      return TakeFixed<Int128>(rows);
    case Physical::kBytes:
      return TakeBytes(rows);
    case Physical::kOther:
      return TakeOther(rows);
  }
  return Status::Internal("unknown physical type");
}

BatchGather::BatchGather(SchemaPtr schema, const std::vector<BatchPtr>& batches, Gather::Use use)
    : schema_(std::move(schema)) {
  for (int i = 0; i < schema_->num_fields(); ++i) {
    std::vector<ArrayPtr> chunks;
    chunks.reserve(batches.size());
    for (const BatchPtr& batch : batches) chunks.push_back(batch->column(i));
    columns_.emplace_back(schema_->field(i)->type(), std::move(chunks), use);
  }
}

Result<BatchPtr> BatchGather::Take(std::span<const RowRef> rows) const {
  std::vector<ArrayPtr> columns;
  columns.reserve(columns_.size());
  for (const Gather& column : columns_) {
    auto taken = MUTIRAO_TRY(column.Take(rows));
    columns.push_back(std::move(taken));
  }
  return arrow::RecordBatch::Make(schema_, static_cast<int64_t>(rows.size()), std::move(columns));
}

Result<ArrayPtr> TakeRows(const ArrayPtr& array, std::span<const uint32_t> rows) {
  const arrow::ArrayData& data = *array->data();
  const Physical physical = PhysicalOf(*data.type);
  std::shared_ptr<arrow::Buffer> validity;
  if (physical != Physical::kOther && physical != Physical::kBool) {
    validity = MUTIRAO_TRY(TakeValidityRows(data, rows));
  }
  switch (physical) {
    case Physical::kInt8:
      return TakeFixedRows<int8_t>(data, rows, std::move(validity));
    case Physical::kInt16:
      return TakeFixedRows<int16_t>(data, rows, std::move(validity));
    case Physical::kInt32:
      return TakeFixedRows<int32_t>(data, rows, std::move(validity));
    case Physical::kInt64:
    case Physical::kDouble:
      return TakeFixedRows<int64_t>(data, rows, std::move(validity));
    case Physical::kDecimal:
      return TakeFixedRows<Int128>(data, rows, std::move(validity));
    case Physical::kBytes:
      return TakeTextRows(data, rows, std::move(validity));
    case Physical::kBool:
    case Physical::kOther:
      break;
  }
  auto indices = std::make_shared<arrow::UInt32Array>(static_cast<int64_t>(rows.size()),
                                                      arrow::Buffer::Wrap(rows.data(), rows.size()));
  return MUTIRAO_TRY(arrow::compute::Take(*array, *indices, arrow::compute::TakeOptions::NoBoundsCheck()));
}

Result<BatchPtr> TakeRows(const BatchPtr& batch, std::span<const uint32_t> rows) {
  if (static_cast<int64_t>(rows.size()) == batch->num_rows()) {
    bool identity = true;
    for (size_t i = 0; i < rows.size() && identity; ++i) identity = rows[i] == i;
    if (identity) return batch;
  }
  std::vector<ArrayPtr> columns;
  columns.reserve(static_cast<size_t>(batch->num_columns()));
  for (const ArrayPtr& column : batch->columns()) {
    auto taken = MUTIRAO_TRY(TakeRows(column, rows));
    columns.push_back(std::move(taken));
  }
  return arrow::RecordBatch::Make(batch->schema(), static_cast<int64_t>(rows.size()), std::move(columns));
}

}  // namespace mutirao::engine
