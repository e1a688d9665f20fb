#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include "columnar/arrow_status.h"
#include "columnar/type.h"

namespace mutirao::frame {

// How kernels read their arguments and write their results. An argument is an array of as many values as the batch has
// rows, or of one value that stands for all rows (a constant): its step is then zero. Values under a null are there but
// mean nothing.

/// Read fixed-width values: integers, float64, date, timestamp, and decimals as Int128.
template <typename T>
class Values {
 public:
  explicit Values(const arrow::Array& array)
      : data_(reinterpret_cast<const uint8_t*>(array.data()->buffers[1]->data()) + array.offset() * sizeof(T)),
        step_(array.length() == 1 ? 0 : sizeof(T)) {}
  T operator[](int64_t row) const {
    T value;
    std::memcpy(&value, data_ + row * step_, sizeof(T));
    return value;
  }
  bool constant() const { return step_ == 0; }

 private:
  const uint8_t* data_;
  int64_t step_;
};

/// Read booleans.
template <>
class Values<bool> {
 public:
  explicit Values(const arrow::Array& array)
      : bits_(array.data()->buffers[1]->data()), offset_(array.offset()), step_(array.length() == 1 ? 0 : 1) {}
  bool operator[](int64_t row) const { return arrow::bit_util::GetBit(bits_, offset_ + row * step_); }

 private:
  const uint8_t* bits_;
  int64_t offset_;
  int64_t step_;
};

/// Read strings and binaries.
template <>
class Values<std::string_view> {
 public:
  explicit Values(const arrow::Array& array) : step_(array.length() == 1 ? 0 : 1) {
    const auto& binary = static_cast<const arrow::BinaryArray&>(array);
    offsets_ = binary.raw_value_offsets();
    data_ = reinterpret_cast<const char*>(binary.value_data() ? binary.value_data()->data() : nullptr);
  }
  std::string_view operator[](int64_t row) const {
    const int32_t* offset = offsets_ + row * step_;
    return {data_ + offset[0], static_cast<size_t>(offset[1] - offset[0])};
  }

 private:
  const int32_t* offsets_;
  const char* data_;
  int64_t step_;
};
using Texts = Values<std::string_view>;

/// Which rows of a result are null: the buffer as Arrow wants it (may be null: none is) and their number.
struct Nulls {
  std::shared_ptr<arrow::Buffer> bitmap;
  int64_t count = 0;

  bool is_null(int64_t row) const { return bitmap != nullptr && !arrow::bit_util::GetBit(bitmap->data(), row); }
};

/// A row is null when any of the arguments is null in it.
Result<Nulls> CombineNulls(const std::vector<ArrayPtr>& args, int64_t rows);

/// Count the nulls in a fresh validity bitmap; one without nulls is dropped.
Nulls NullsOf(std::shared_ptr<arrow::Buffer> bitmap, int64_t rows);

/// Allocate a bitmap of `rows` bits, all one or all zero.
Result<std::shared_ptr<arrow::Buffer>> MakeBitmap(int64_t rows, bool value);

/// An error in one row, as evaluators expect it: they find the row's number again to correct it (see AtOuterRow).
Status RowError(int64_t row, std::string_view message);

/// Translate the row of a RowError by a map from inner to outer rows; other errors pass.
Status AtOuterRow(Status status, const int64_t* outer_rows, int64_t count);

/// Show a text in an error: quoted and cut.
std::string ShowText(std::string_view text);

inline ArrayPtr MakeFixedArray(const TypePtr& type, int64_t rows, std::shared_ptr<arrow::Buffer> values, Nulls nulls) {
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, rows, {std::move(nulls.bitmap), std::move(values)}, nulls.count));
}

/// Compute fixed-width results by a function of the row that cannot fail; it is called for null rows too.
template <typename Out, typename F>
Result<ArrayPtr> MapRows(const TypePtr& type, int64_t rows, Nulls nulls, F&& compute) {
  std::shared_ptr<arrow::Buffer> values = MUTIRAO_TRY(arrow::AllocateBuffer(rows * static_cast<int64_t>(sizeof(Out))));
  Out* out = reinterpret_cast<Out*>(values->mutable_data());
  for (int64_t row = 0; row < rows; ++row) out[row] = compute(row);
  return MakeFixedArray(type, rows, std::move(values), std::move(nulls));
}

/// Fill a bitmap by a function of the row.
template <typename F>
void FillBits(uint8_t* bits, int64_t rows, F&& compute) {
  int64_t row = 0;
  for (; row + 64 <= rows; row += 64) {
    uint8_t lanes[64];
    for (int i = 0; i < 64; ++i) lanes[i] = compute(row + i);
    uint64_t word = 0;
    for (int i = 0; i < 8; ++i) {
      uint64_t eight;
      std::memcpy(&eight, lanes + 8 * i, 8);
      word |= ((eight * 0x0102040810204080ULL) >> 56) << (8 * i);
    }
    std::memcpy(bits + row / 8, &word, 8);
  }
  for (; row < rows; row += 8) {
    uint8_t byte = 0;
    for (int i = 0; i < 8 && row + i < rows; ++i) byte |= static_cast<uint8_t>(compute(row + i) ? 1 << i : 0);
    bits[row / 8] = byte;
  }
}

/// Compute booleans by a function of the row that cannot fail; it is called for null rows too.
template <typename F>
Result<ArrayPtr> MapBits(int64_t rows, Nulls nulls, F&& compute) {
  std::shared_ptr<arrow::Buffer> values = MUTIRAO_TRY(arrow::AllocateBuffer(arrow::bit_util::BytesForBits(rows)));
  FillBits(values->mutable_data(), rows, compute);
  return MakeFixedArray(arrow::boolean(), rows, std::move(values), std::move(nulls));
}

/// Compute by a function (row, Out*) → bool that gives false where there is no value. Such a row becomes null when
/// `null_on_failure`, otherwise it is an error that `explain` (row → text) words. Null rows are never failures.
template <typename Out, typename F, typename Explain>
Result<ArrayPtr> MapChecked(const TypePtr& type, int64_t rows, Nulls nulls, bool null_on_failure, F&& compute,
                            Explain&& explain) {
  std::shared_ptr<arrow::Buffer> values = MUTIRAO_TRY(arrow::AllocateBuffer(rows * static_cast<int64_t>(sizeof(Out))));
  Out* out = reinterpret_cast<Out*>(values->mutable_data());
  bool failed = false;
  for (int64_t row = 0; row < rows; ++row) {
    Out value{};
    failed |= !compute(row, &value);
    out[row] = value;
  }
  if (!failed) return MakeFixedArray(type, rows, std::move(values), std::move(nulls));
  std::shared_ptr<arrow::Buffer> valid;
  if (null_on_failure) valid = MUTIRAO_TRY(MakeBitmap(rows, false));
  bool all_under_nulls = true;
  for (int64_t row = 0; row < rows; ++row) {
    if (nulls.is_null(row)) continue;
    Out value{};
    if (compute(row, &value)) {
      if (valid) arrow::bit_util::SetBit(valid->mutable_data(), row);
      continue;
    }
    if (!null_on_failure) return RowError(row, explain(row));
    all_under_nulls = false;
  }
  if (null_on_failure && !all_under_nulls) nulls = NullsOf(std::move(valid), rows);
  return MakeFixedArray(type, rows, std::move(values), std::move(nulls));
}

/// A fixed-width column of the decimal's unscaled values has this digit count and scale.
inline int ScaleOf(const arrow::DataType& type) {
  return static_cast<const arrow::Decimal128Type&>(type).scale();
}
inline int PrecisionOf(const arrow::DataType& type) {
  return static_cast<const arrow::Decimal128Type&>(type).precision();
}

}  // namespace mutirao::frame
