#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/csv/simd_level.h"
#include "formats/csv/structural_index.h"

namespace mutirao::formats::csv {

/// Bytes behind a copied field that may be written too.
inline constexpr size_t kCopySlack = 64;

/// One column of some rows that is copied as it stands. Rows and ends are as RowIndex has them.
struct CopyJob {
  const char* data;
  const uint32_t* starts;
  const uint32_t* ends;
  size_t width;
  size_t column;
  const uint32_t* rows;  ///< the wanted ones; null: all from `first_row` on
  size_t first_row;      ///< 0 when `rows` are given
  size_t count;

  bool quoting;
  char quote;  ///< 0 without quoting
  bool ascii;  ///< bytes ≥ 0x80 cannot be copied
  bool empty_is_null;

  char* out;
  size_t capacity;     ///< of `out`, kCopySlack or more
  int32_t* text_ends;  ///< one a row
  uint8_t* valid;      ///< one a row: 0 for null; null when that is not wanted, as nulls are the texts without bytes
};

/// The loops of the scan that are compiled once for each level.
struct ScanKernels {
  /// Find delimiters and line ends: see IndexWindow().
  WindowIndex (*index)(const IndexRequest& request, const char* data, size_t size, uint32_t base, uint32_t* out);

  /// Copy fields from the row at place `from` on until one has bytes that do not stand for themselves (quotes within
  /// quotes, NUL, what the encoding changes), is missing, or has no room; gives its place, `count` when all are done.
  /// `size` is that of the text in `out`, before and after.
  size_t (*copy)(const CopyJob& job, size_t from, size_t* size);
};

/// The loops of a level. REQUIRES: the processor has it.
const ScanKernels& KernelsOf(SimdLevel level);

/// The `copy` of AVX2.
size_t CopyByAvx2(const CopyJob& job, size_t from, size_t* size);

// One file each; not there for other processors.
extern const ScanKernels kScalarKernels;
extern const ScanKernels kNeonKernels;
extern const ScanKernels kAvx2Kernels;
extern const ScanKernels kAvx512Kernels;

}  // namespace mutirao::formats::csv
