#include "frame/expr/row_choice.h"

#include <algorithm>
#include <bit>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/util/bitmap_ops.h>

#include "columnar/arrow_status.h"
#include "frame/functions/int128.h"
#include "frame/functions/text_builder.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

// Copies bits to words, zeros behind the last.
void CopyBits(const uint8_t* bits, int64_t offset, int64_t rows, std::vector<uint64_t>* words) {
  arrow::internal::CopyBitmap(bits, offset, rows, reinterpret_cast<uint8_t*>(words->data()), 0);
}

void ClearTail(int64_t rows, std::vector<uint64_t>* words) {
  if (rows % 64 != 0) words->back() &= (uint64_t{1} << (rows % 64)) - 1;
}

int64_t CountBits(const std::vector<uint64_t>& words) {
  int64_t count = 0;
  for (uint64_t word : words) count += std::popcount(word);
  return count;
}

std::vector<int64_t> ClearRows(const std::vector<uint64_t>& words, int64_t rows) {
  std::vector<int64_t> clear;
  clear.reserve(rows - CountBits(words));
  for (size_t i = 0; i < words.size(); ++i) {
    uint64_t rest = ~words[i];
    int64_t base = static_cast<int64_t>(i) * 64;
    while (rest != 0) {
      int64_t row = base + std::countr_zero(rest);
      if (row >= rows) break;
      clear.push_back(row);
      rest &= rest - 1;
    }
  }
  return clear;
}

}  // namespace

Result<Trilean> Trilean::From(const arrow::Array& array, int64_t rows) {
  Trilean trilean;
  trilean.rows_ = rows;
  size_t words = static_cast<size_t>((rows + 63) / 64);
  trilean.true_.assign(words, 0);
  trilean.false_.assign(words, 0);
  if (array.length() == 1 && rows != 1) {
    if (array.IsNull(0)) return trilean;
    auto& filled = static_cast<const arrow::BooleanArray&>(array).Value(0) ? trilean.true_ : trilean.false_;
    filled.assign(words, ~uint64_t{0});
    ClearTail(rows, &filled);
    return trilean;
  }
  CopyBits(array.data()->buffers[1]->data(), array.offset(), rows, &trilean.true_);
  if (array.null_count() == 0) {
    for (size_t i = 0; i < words; ++i) trilean.false_[i] = ~trilean.true_[i];
  } else {
    std::vector<uint64_t> valid(words, 0);
    CopyBits(array.null_bitmap_data(), array.offset(), rows, &valid);
    for (size_t i = 0; i < words; ++i) {
      trilean.false_[i] = ~trilean.true_[i] & valid[i];
      trilean.true_[i] &= valid[i];
    }
  }
  ClearTail(rows, &trilean.true_);
  ClearTail(rows, &trilean.false_);
  return trilean;
}

int64_t Trilean::CountTrue() const {
  return CountBits(true_);
}
int64_t Trilean::CountFalse() const {
  return CountBits(false_);
}
std::vector<int64_t> Trilean::RowsNotTrue() const {
  return ClearRows(true_, rows_);
}
std::vector<int64_t> Trilean::RowsNotFalse() const {
  return ClearRows(false_, rows_);
}

void Trilean::And(const Trilean& other) {
  for (size_t i = 0; i < true_.size(); ++i) {
    true_[i] &= other.true_[i];
    false_[i] |= other.false_[i];
  }
}

void Trilean::Or(const Trilean& other) {
  for (size_t i = 0; i < true_.size(); ++i) {
    true_[i] |= other.true_[i];
    false_[i] &= other.false_[i];
  }
}

Result<ArrayPtr> Trilean::ToArray() const {
  size_t bytes = true_.size() * 8;
  std::shared_ptr<arrow::Buffer> values = MUTIRAO_TRY(arrow::AllocateBuffer(static_cast<int64_t>(bytes)));
  std::memcpy(values->mutable_data(), true_.data(), bytes);
  Nulls nulls;
  if (CountTrue() + CountFalse() != rows_) {
    std::shared_ptr<arrow::Buffer> valid = MUTIRAO_TRY(arrow::AllocateBuffer(static_cast<int64_t>(bytes)));
    auto* words = reinterpret_cast<uint64_t*>(valid->mutable_data());
    for (size_t i = 0; i < true_.size(); ++i) words[i] = true_[i] | false_[i];
    nulls = NullsOf(std::move(valid), rows_);
  }
  return MakeFixedArray(arrow::boolean(), rows_, std::move(values), std::move(nulls));
}

void RowChoice::Take(ArrayPtr values, const std::vector<int64_t>& rows) {
  int32_t source = static_cast<int32_t>(sources_.size());
  sources_.push_back(std::move(values));
  for (int64_t row : rows) source_of_row_[row] = source;
}

namespace {

template <typename Emit>
void ForEachPlace(const std::vector<int32_t>& source_of_row, const std::vector<ArrayPtr>& sources, Emit&& emit) {
  for (size_t row = 0; row < source_of_row.size(); ++row) {
    int32_t source = source_of_row[row];
    if (source < 0) {
      emit(static_cast<int64_t>(row), -1, 0);
      continue;
    }
    const arrow::Array& array = *sources[source];
    emit(static_cast<int64_t>(row), source, array.length() == 1 ? 0 : static_cast<int64_t>(row));
  }
}

Result<Nulls> ChosenNulls(const std::vector<int32_t>& source_of_row, const std::vector<ArrayPtr>& sources) {
  int64_t rows = static_cast<int64_t>(source_of_row.size());
  auto valid = MUTIRAO_TRY(MakeBitmap(rows, false));
  ForEachPlace(source_of_row, sources, [&](int64_t row, int32_t source, int64_t at) {
    if (source >= 0 && sources[source]->IsValid(at)) arrow::bit_util::SetBit(valid->mutable_data(), row);
  });
  return NullsOf(std::move(valid), rows);
}

template <typename T>
Result<ArrayPtr> ChooseFixed(const TypePtr& type, const std::vector<int32_t>& source_of_row,
                             const std::vector<ArrayPtr>& sources, Nulls nulls) {
  int64_t rows = static_cast<int64_t>(source_of_row.size());
  std::vector<Values<T>> readers;
  for (const ArrayPtr& source : sources) readers.emplace_back(*source);
  if constexpr (std::is_same_v<T, bool>) {
    return MapBits(rows, std::move(nulls),
                   [&](int64_t row) { return source_of_row[row] >= 0 && readers[source_of_row[row]][row]; });
  } else {
    return MapRows<T>(type, rows, std::move(nulls),
                      [&](int64_t row) { return source_of_row[row] < 0 ? T{} : readers[source_of_row[row]][row]; });
  }
}

Result<ArrayPtr> ChooseTexts(const TypePtr& type, const std::vector<int32_t>& source_of_row,
                             const std::vector<ArrayPtr>& sources, Nulls nulls) {
  int64_t rows = static_cast<int64_t>(source_of_row.size());
  std::vector<Texts> readers;
  for (const ArrayPtr& source : sources) readers.emplace_back(*source);
  auto builder = MUTIRAO_TRY(TextBuilder::Make(rows, rows * 8));
  for (int64_t row = 0; row < rows; ++row) {
    bool empty = source_of_row[row] < 0 || nulls.is_null(row);
    builder.Append(empty ? std::string_view() : readers[source_of_row[row]][row]);
  }
  return builder.Finish(type, std::move(nulls));
}

// Lists: rare, so built value by value.
Result<ArrayPtr> ChooseAny(const TypePtr& type, const std::vector<int32_t>& source_of_row,
                           const std::vector<ArrayPtr>& sources) {
  auto builder = MUTIRAO_TRY(arrow::MakeBuilder(type));
  arrow::Status status;
  ForEachPlace(source_of_row, sources, [&](int64_t, int32_t source, int64_t at) {
    if (!status.ok()) return;
    status = source < 0 ? builder->AppendNull() : builder->AppendArraySlice(*sources[source]->data(), at, 1);
  });
  MUTIRAO_TRY(status);
  return MUTIRAO_TRY(builder->Finish());
}

}  // namespace

Result<ArrayPtr> RowChoice::Finish() const {
  if (type_->id() == arrow::Type::LIST) return ChooseAny(type_, source_of_row_, sources_);
  auto nulls = MUTIRAO_TRY(ChosenNulls(source_of_row_, sources_));
  switch (type_->id()) {
    case arrow::Type::BOOL:
      return ChooseFixed<bool>(type_, source_of_row_, sources_, std::move(nulls));
    case arrow::Type::INT8:
      return ChooseFixed<int8_t>(type_, source_of_row_, sources_, std::move(nulls));
    case arrow::Type::INT16:
      return ChooseFixed<int16_t>(type_, source_of_row_, sources_, std::move(nulls));
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return ChooseFixed<int32_t>(type_, source_of_row_, sources_, std::move(nulls));
    case arrow::Type::DECIMAL128:
      return ChooseFixed<Int128>(type_, source_of_row_, sources_, std::move(nulls));
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return ChooseTexts(type_, source_of_row_, sources_, std::move(nulls));
    default:
      return ChooseFixed<int64_t>(type_, source_of_row_, sources_, std::move(nulls));
  }
}

Result<ArrayPtr> SpreadRows(const ArrayPtr& values, const std::vector<int64_t>& at, int64_t rows) {
  std::shared_ptr<arrow::Buffer> indices = MUTIRAO_TRY(arrow::AllocateBuffer(rows * 8));
  auto valid = MUTIRAO_TRY(MakeBitmap(rows, false));
  auto* out = reinterpret_cast<int64_t*>(indices->mutable_data());
  std::fill(out, out + rows, 0);
  for (size_t i = 0; i < at.size(); ++i) {
    out[at[i]] = static_cast<int64_t>(i);
    arrow::bit_util::SetBit(valid->mutable_data(), at[i]);
  }
  auto places = MakeFixedArray(arrow::int64(), rows, std::move(indices), NullsOf(std::move(valid), rows));
  return MUTIRAO_TRY(arrow::compute::Take(*values, *places, arrow::compute::TakeOptions::NoBoundsCheck()));
}

}  // namespace mutirao::frame
