// The loop that copies the fields of a column, compiled once for each instruction set like structural_index_loop.h.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "formats/csv/scan_kernels.h"

namespace mutirao::formats::csv {
namespace {  // NOLINT: each file that includes this shall have its own copy

// Copies a text in whole vectors; false when some byte of it does not stand for itself.
// A Vector is kSize bytes: Load, Store, and FindOdd() tells which are quotes, NUL, or changed by the encoding: a bit each, that
// of the first byte the lowest.
template <typename Vector>
[[gnu::always_inline]] inline bool CopyPlain(const char* from, size_t size, char* to,
                                             const typename Vector::Rule& rule) {
  uint64_t odd = 0;
  while (size > Vector::kSize) [[unlikely]] {
      const auto bytes = Vector::Load(from);
      Vector::Store(bytes, to);
      odd |= Vector::FindOdd(bytes, rule);
      from += Vector::kSize;
      to += Vector::kSize;
      size -= Vector::kSize;
    }
  const auto bytes = Vector::Load(from);
  Vector::Store(bytes, to);
  odd |= Vector::FindOdd(bytes, rule) & ((uint64_t{1} << size) - 1);
  return odd == 0;
}

// Copies the fields of a column from place `from` on. Most are quoted texts of less than a vector: all else stands behind
// the one branch for them. kEdge: the first or last column, whose fields begin or end otherwise; kAll: rows one behind the
// other; kValid: `valid` is wanted.
template <typename Vector, bool kEdge, bool kAll, bool kValid>
[[gnu::always_inline]] inline size_t CopyColumn(const CopyJob& job, size_t from, size_t* size) {
  const typename Vector::Rule rule(job.quote, job.ascii);
  // Bytes that are written may alias all that is not a local.
  const char* const data = job.data;
  const uint32_t* const ends = job.ends + job.column;
  const uint32_t* const rows = job.rows;
  const size_t first_row = job.first_row;
  const size_t width = job.width;
  const size_t count = job.count;
  const int quote = job.quoting ? static_cast<uint8_t>(job.quote) : -1;  // as no byte is
  const bool empty_is_text = !job.empty_is_null;
  char* const out = job.out;
  char* const limit = out + job.capacity - kCopySlack;
  int32_t* const text_ends = job.text_ends;
  uint8_t* const valid = job.valid;
  char* to = out + *size;
  const uint32_t* next_end = ends + (first_row + from) * width;
  size_t i = from;
  for (; i < count; ++i) {
    const uint32_t* const end_place = kAll ? next_end : ends + rows[i] * width;
    if constexpr (kAll) next_end += width;
    uint32_t end = *end_place;
    uint32_t begin = 0;
    if constexpr (kEdge) {
      begin = job.column == 0 ? job.starts[kAll ? first_row + i : rows[i]] : end_place[-1] + 1;
      const bool last = job.column + 1 == width;
      if (last && end > begin && data[end] == '\n' && data[end - 1] == '\r') --end;
    } else {
      begin = end_place[-1] + 1;
    }
    const char* text = data + begin;
    const uint32_t inside = end - begin - 2;  // the quotes, which fields of less bytes do not have
    if (inside < Vector::kSize && static_cast<uint8_t>(*text) == quote) [[likely]] {
      if (to + inside > limit) [[unlikely]]
        break;
      const auto bytes = Vector::Load(text + 1);
      Vector::Store(bytes, to);
      if (static_cast<uint32_t>(std::countr_zero(Vector::FindOdd(bytes, rule))) != inside ||
          static_cast<uint8_t>(text[inside + 1]) != quote) [[unlikely]]
        break;
      to += inside;
      if constexpr (kValid) valid[i] = inside != 0 || empty_is_text;
      text_ends[i] = static_cast<int32_t>(to - out);
      continue;
    }
    if (begin > end) [[unlikely]]
      break;
    size_t length = end - begin;
    if (length > static_cast<size_t>(limit - to)) [[unlikely]]
      break;
    const bool quoted = length >= 2 && static_cast<uint8_t>(*text) == quote &&
                        static_cast<uint8_t>(text[length - 1]) == quote;
    if (quoted) {
      ++text;
      length -= 2;
    }
    if (!CopyPlain<Vector>(text, length, to, rule)) [[unlikely]]
      break;
    to += length;
    if constexpr (kValid) valid[i] = length != 0 || (quoted && empty_is_text);
    text_ends[i] = static_cast<int32_t>(to - out);
  }
  *size = static_cast<size_t>(to - out);
  return i;
}

template <typename Vector, bool kEdge, bool kAll>
[[gnu::always_inline]] inline size_t CopyColumn(const CopyJob& job, size_t from, size_t* size) {
  return job.valid != nullptr ? CopyColumn<Vector, kEdge, kAll, true>(job, from, size)
                              : CopyColumn<Vector, kEdge, kAll, false>(job, from, size);
}

template <typename Vector>
[[gnu::always_inline]] inline size_t CopyFields(const CopyJob& job, size_t from, size_t* size) {
  const bool edge = job.column == 0 || job.column + 1 == job.width;
  const bool all = job.rows == nullptr;
  if (edge && all) return CopyColumn<Vector, true, true>(job, from, size);
  if (edge) return CopyColumn<Vector, true, false>(job, from, size);
  if (all) return CopyColumn<Vector, false, true>(job, from, size);
  return CopyColumn<Vector, false, false>(job, from, size);
}

}  // namespace
}  // namespace mutirao::formats::csv
