// The loop that copies the fields of a column, compiled once for each instruction set like structural_index_loop.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/csv/scan_kernels.h"

namespace mutirao::formats::csv {
namespace {  // NOLINT: each file that includes this shall have its own copy

// Where in a vector bytes stand that must not be copied: a bit each, that of the first byte the lowest.
struct OddBytes {
  uint64_t quotes;
  uint64_t others;  // NUL, and what the encoding changes
};

// Copies a text in whole vectors; false when some byte of it does not stand for itself.
// A Vector is kSize bytes: Load, Store, and Find() gives its odd bytes.
template <typename Vector>
[[gnu::always_inline]] inline bool CopyPlain(const char* from, size_t size, char* to,
                                             const typename Vector::Rule& rule) {
  uint64_t odd = 0;
  while (size > Vector::kSize) [[unlikely]] {
      const auto bytes = Vector::Load(from);
      Vector::Store(bytes, to);
      const OddBytes found = Vector::Find(bytes, rule);
      odd |= found.quotes | found.others;
      from += Vector::kSize;
      to += Vector::kSize;
      size -= Vector::kSize;
    }
  const auto bytes = Vector::Load(from);
  Vector::Store(bytes, to);
  const OddBytes found = Vector::Find(bytes, rule);
  odd |= (found.quotes | found.others) & ((uint64_t{1} << size) - 1);
  return odd == 0;
}

// Copies the text behind an opening quote; false when it is not plain up to one closing quote that ends the field.
// REQUIRES: `size`, without quotes, is less than a vector.
template <typename Vector>
[[gnu::always_inline]] inline bool CopyQuoted(const char* from, size_t size, char* to,
                                              const typename Vector::Rule& rule) {
  const auto bytes = Vector::Load(from);
  Vector::Store(bytes, to);
  const OddBytes found = Vector::Find(bytes, rule);
  const uint64_t closing = uint64_t{1} << size;
  return (((found.quotes ^ closing) | found.others) & (closing * 2 - 1)) == 0;
}

template <typename Vector, bool kFirst, bool kLast>
[[gnu::always_inline]] inline size_t CopyColumn(const CopyJob& job, size_t from, size_t* size_out) {
  const typename Vector::Rule rule(job.quote, job.ascii);
  // Bytes that are written may alias all that is not a local.
  const char* const data = job.data;
  const uint32_t* const starts = job.starts;
  const uint32_t* const ends = job.ends + job.column;
  const uint32_t* const rows = job.rows;
  const size_t width = job.width;
  const size_t count = job.count;
  const size_t capacity = job.capacity;
  const int quote = job.quoting ? static_cast<uint8_t>(job.quote) : -1;  // as no byte is
  const bool empty_is_text = !job.empty_is_null;
  char* const out = job.out;
  int32_t* const text_ends = job.text_ends;
  uint8_t* const valid = job.valid;
  size_t size = *size_out;
  size_t i = from;
  for (; i < count; ++i) {
    const size_t row = rows[i];
    const uint32_t* const end_place = ends + row * width;
    const uint32_t begin = kFirst ? starts[row] : end_place[-1] + 1;
    uint32_t end = *end_place;
    if (begin > end) [[unlikely]]
      break;
    if (kLast && end > begin && data[end] == '\n' && data[end - 1] == '\r') --end;
    const char* text = data + begin;
    size_t length = end - begin;
    if (size + length + kCopySlack > capacity) [[unlikely]]
      break;
    bool quoted = false;
    if (length >= 2 && static_cast<uint8_t>(*text) == quote) {
      if (length - 2 < Vector::kSize) [[likely]] {
        if (!CopyQuoted<Vector>(text + 1, length - 2, out + size, rule)) [[unlikely]]
          break;
        size += length - 2;
        valid[i] = length != 2 || empty_is_text;
        text_ends[i] = static_cast<int32_t>(size);
        continue;
      }
      if (static_cast<uint8_t>(text[length - 1]) == quote) {
        quoted = true;
        ++text;
        length -= 2;
      }
    }
    if (!CopyPlain<Vector>(text, length, out + size, rule)) [[unlikely]]
      break;
    size += length;
    valid[i] = length != 0 || (quoted && empty_is_text);
    text_ends[i] = static_cast<int32_t>(size);
  }
  *size_out = size;
  return i;
}

template <typename Vector>
[[gnu::always_inline]] inline size_t CopyFields(const CopyJob& job, size_t from, size_t* size) {
  const bool first = job.column == 0;
  const bool last = job.column + 1 == job.width;
  if (first && last) return CopyColumn<Vector, true, true>(job, from, size);
  if (first) return CopyColumn<Vector, true, false>(job, from, size);
  if (last) return CopyColumn<Vector, false, true>(job, from, size);
  return CopyColumn<Vector, false, false>(job, from, size);
}

}  // namespace
}  // namespace mutirao::formats::csv
