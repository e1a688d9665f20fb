// The loop that copies the fields of a column, compiled once for each instruction set like structural_index_loop.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/csv/scan_kernels.h"

namespace mutirao::formats::csv {
namespace {  // NOLINT: each file that includes this shall have its own copy

// Copies a text in whole vectors; false when some byte of it does not stand for itself.
// A Vector is kSize bytes: Load, Store, and Odd() gives a bit for each byte that must not be copied.
template <typename Vector>
[[gnu::always_inline]] inline bool CopyPlain(const char* from, size_t size, char* to,
                                             const typename Vector::Rule& rule) {
  uint64_t odd = 0;
  while (size > Vector::kSize) [[unlikely]] {
      const auto bytes = Vector::Load(from);
      Vector::Store(bytes, to);
      odd |= Vector::Odd(bytes, rule);
      from += Vector::kSize;
      to += Vector::kSize;
      size -= Vector::kSize;
    }
  const auto bytes = Vector::Load(from);
  Vector::Store(bytes, to);
  odd |= Vector::Odd(bytes, rule) & ((uint64_t{1} << size) - 1);
  return odd == 0;
}

template <typename Vector>
[[gnu::always_inline]] inline size_t CopyFields(const CopyJob& job, size_t from, size_t* size_out) {
  const typename Vector::Rule rule(job.quote, job.ascii);
  const char* const data = job.data;
  const uint32_t* const ends = job.ends + job.column;
  const bool first = job.column == 0;
  const bool last = job.column + 1 == job.width;
  const bool empty_is_text = !job.empty_is_null;
  char* const out = job.out;
  size_t size = *size_out;
  size_t i = from;
  for (; i < job.count; ++i) {
    const size_t row = job.rows[i];
    const uint32_t* const end_place = ends + row * job.width;
    const uint32_t begin = first ? job.starts[row] : end_place[-1] + 1;
    uint32_t end = *end_place;
    if (begin > end) [[unlikely]]
      break;
    if (last && end > begin && data[end] == '\n' && data[end - 1] == '\r') --end;
    const char* text = data + begin;
    size_t length = end - begin;
    bool quoted = false;
    if (length >= 2 && job.quoting && *text == job.quote && text[length - 1] == job.quote) {
      quoted = true;
      ++text;
      length -= 2;
    }
    if (size + length + kCopySlack > job.capacity) [[unlikely]]
      break;
    if (!CopyPlain<Vector>(text, length, out + size, rule)) [[unlikely]]
      break;
    size += length;
    job.valid[i] = length != 0 || (quoted && empty_is_text);
    job.text_ends[i] = static_cast<int32_t>(size);
  }
  *size_out = size;
  return i;
}

}  // namespace
}  // namespace mutirao::formats::csv
