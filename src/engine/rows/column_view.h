#pragma once

#include <cstdint>
#include <string_view>

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

namespace mutirao::engine {

/// How the values of a plan type lie in memory.
enum class Physical : uint8_t { kBool, kInt8, kInt16, kInt32, kInt64, kDouble, kDecimal, kBytes, kOther };

inline Physical PhysicalOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return Physical::kBool;
    case arrow::Type::INT8:
      return Physical::kInt8;
    case arrow::Type::INT16:
      return Physical::kInt16;
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return Physical::kInt32;
    case arrow::Type::INT64:
    case arrow::Type::TIMESTAMP:
      return Physical::kInt64;
    case arrow::Type::DOUBLE:
      return Physical::kDouble;
    case arrow::Type::DECIMAL128:
      return Physical::kDecimal;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return Physical::kBytes;
    default:
      return Physical::kOther;
  }
}

using Int128 = __int128;

/// The validity of a column as fast as it goes. Borrows the array.
struct Validity {
  const uint8_t* bits = nullptr;
  int64_t offset = 0;

  Validity() = default;
  explicit Validity(const arrow::ArrayData& data) {
    if (data.GetNullCount() != 0 && data.buffers[0] != nullptr) {
      bits = data.buffers[0]->data();
      offset = data.offset;
    }
  }
  bool all_valid() const { return bits == nullptr; }
  bool operator()(int64_t row) const { return bits == nullptr || arrow::bit_util::GetBit(bits, offset + row); }
};

/// Values of fixed width by row number. Borrows the array.
template <typename T>
struct FixedView {
  const T* values;
  Validity valid;

  explicit FixedView(const arrow::ArrayData& data)
      : values(reinterpret_cast<const T*>(data.buffers[1] ? data.buffers[1]->data() : nullptr) + data.offset),
        valid(data) {}
  T operator[](int64_t row) const {
    T value;
    __builtin_memcpy(&value, values + row, sizeof(T));
    return value;
  }
};

/// Booleans by row number. Borrows the array.
struct BoolView {
  const uint8_t* bits;
  int64_t offset;
  Validity valid;

  explicit BoolView(const arrow::ArrayData& data)
      : bits(data.buffers[1] ? data.buffers[1]->data() : nullptr), offset(data.offset), valid(data) {}
  uint8_t operator[](int64_t row) const { return arrow::bit_util::GetBit(bits, offset + row); }
};

/// Text or bytes by row number. Borrows the array.
struct BytesView {
  const int32_t* offsets;
  const uint8_t* bytes;
  Validity valid;

  explicit BytesView(const arrow::ArrayData& data)
      : offsets(data.buffers[1] ? reinterpret_cast<const int32_t*>(data.buffers[1]->data()) + data.offset : nullptr),
        bytes(data.buffers[2] ? data.buffers[2]->data() : nullptr),
        valid(data) {}
  uint32_t length(int64_t row) const { return static_cast<uint32_t>(offsets[row + 1] - offsets[row]); }
  const uint8_t* data(int64_t row) const { return bytes + offsets[row]; }
  std::string_view operator[](int64_t row) const { return {reinterpret_cast<const char*>(data(row)), length(row)}; }
};

/// Call `f` with the view that fits a column's type; false for types without one (lists).
template <typename F>
bool VisitColumn(const arrow::ArrayData& data, F&& f) {
  switch (PhysicalOf(*data.type)) {
    case Physical::kBool:
      f(BoolView(data));
      return true;
    case Physical::kInt8:
      f(FixedView<int8_t>(data));
      return true;
    case Physical::kInt16:
      f(FixedView<int16_t>(data));
      return true;
    case Physical::kInt32:
      f(FixedView<int32_t>(data));
      return true;
    case Physical::kInt64:
      f(FixedView<int64_t>(data));
      return true;
    case Physical::kDouble:
      f(FixedView<double>(data));
      return true;
    case Physical::kDecimal:
      f(FixedView<Int128>(data));
      return true;
    case Physical::kBytes:
      f(BytesView(data));
      return true;
    case Physical::kOther:
      return false;
  }
  return false;
}

}  // namespace mutirao::engine
