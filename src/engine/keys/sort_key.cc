#include "engine/keys/sort_key.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include <arrow/api.h>

#include "engine/rows/column_view.h"

namespace mutirao::engine {
namespace {

template <typename T>
auto Ordered(T value) {
  if constexpr (std::is_same_v<T, double>) {
    if (value == 0) value = 0;
    if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
    const auto bits = std::bit_cast<uint64_t>(value);
    return (bits >> 63) ? ~bits : bits | uint64_t{1} << 63;
  } else if constexpr (std::is_same_v<T, Int128>) {
    return static_cast<unsigned __int128>(value) ^ (static_cast<unsigned __int128>(1) << 127);
  } else if constexpr (std::is_unsigned_v<T>) {
    return value;
  } else {
    using U = std::make_unsigned_t<T>;
    return static_cast<U>(static_cast<U>(value) ^ (U{1} << (sizeof(T) * 8 - 1)));
  }
}

template <typename U>
uint8_t* WriteBigEndian(uint8_t* out, U value) {
  for (int shift = static_cast<int>(sizeof(U)) * 8 - 8; shift >= 0; shift -= 8)
    *out++ = static_cast<uint8_t>(value >> shift);
  return out;
}

// A zero byte inside the text is written as 0 255, the end as 0 0, so that a prefix sorts before what it begins.
uint8_t* WriteText(uint8_t* out, std::string_view text) {
  for (char c : text) {
    *out++ = static_cast<uint8_t>(c);
    if (c == 0) *out++ = 0xFF;
  }
  *out++ = 0;
  *out++ = 0;
  return out;
}

void AddLengths(const arrow::Array& array, std::vector<uint32_t>& lengths) {
  VisitColumn(*array.data(), [&](const auto& view) {
    for (size_t row = 0; row < lengths.size(); ++row) {
      lengths[row] += 1;
      if (!view.valid(static_cast<int64_t>(row))) continue;
      if constexpr (std::is_same_v<std::decay_t<decltype(view)>, BytesView>) {
        const std::string_view text = view[static_cast<int64_t>(row)];
        lengths[row] += static_cast<uint32_t>(text.size() + 2);
        for (char c : text) lengths[row] += c == 0 ? 1 : 0;
      } else {
        lengths[row] += sizeof(view[0]);
      }
    }
  });
}

void WriteColumn(const arrow::Array& array, bool descending, std::vector<uint8_t*>& cursors) {
  VisitColumn(*array.data(), [&](const auto& view) {
    for (size_t row = 0; row < cursors.size(); ++row) {
      const auto at = static_cast<int64_t>(row);
      uint8_t* cursor = cursors[row];
      *cursor++ = view.valid(at) ? 0 : 1;
      uint8_t* const begin = cursor;
      if (view.valid(at)) {
        if constexpr (std::is_same_v<std::decay_t<decltype(view)>, BytesView>) {
          cursor = WriteText(cursor, view[at]);
        } else {
          cursor = WriteBigEndian(cursor, Ordered(view[at]));
        }
        if (descending) {
          for (uint8_t* byte = begin; byte != cursor; ++byte) *byte = static_cast<uint8_t>(~*byte);
        }
      }
      cursors[row] = cursor;
    }
  });
}

}  // namespace

Result<SortKeys> EncodeSortKeys(const arrow::RecordBatch& batch, const std::vector<frame::SortKey>& keys) {
  std::vector<uint32_t> lengths(static_cast<size_t>(batch.num_rows()));
  std::vector<std::pair<ArrayPtr, bool>> columns;
  for (const frame::SortKey& key : keys) {
    ArrayPtr array = batch.GetColumnByName(key.column);
    if (array == nullptr) return Status::Internal("sort reads no column of its input: " + key.column);
    if (array->type_id() == arrow::Type::NA) continue;
    if (PhysicalOf(*array->type()) == Physical::kOther) {
      return Status::Unsupported("sort by \"" + key.column + "\", which is " + TypeName(*array->type()));
    }
    AddLengths(*array, lengths);
    columns.emplace_back(std::move(array), key.descending);
  }
  SortKeys out;
  size_t total = 0;
  for (uint32_t length : lengths) total += length;
  out.arena = std::make_shared_for_overwrite<uint8_t[]>(total + 1);
  std::vector<uint8_t*> cursors(lengths.size());
  uint8_t* next = out.arena.get();
  out.begins.reserve(lengths.size() + 1);
  for (size_t row = 0; row < lengths.size(); ++row) {
    cursors[row] = next;
    out.begins.push_back(next);
    next += lengths[row];
  }
  out.begins.push_back(next);
  for (const auto& [array, descending] : columns) WriteColumn(*array, descending, cursors);
  return out;
}

}  // namespace mutirao::engine
