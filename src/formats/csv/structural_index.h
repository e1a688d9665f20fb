#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/csv/dialect.h"
#include "formats/csv/simd_level.h"

namespace mutirao::formats::csv {

/// Bytes that must be readable behind the bytes given to the quick paths; their values do not matter.
inline constexpr size_t kPadding = 64;

/// What the loop over the bytes has to know of the dialect.
struct IndexRequest {
  char delimiter;
  char quote;
  bool quoting;
  bool nul_breaks;
};

/// What IndexWindow found.
struct WindowIndex {
  /// How many offsets were written: those of delimiters and LFs outside quotes, in order.
  size_t entries = 0;
  /// How many of them are LFs.
  size_t line_ends = 0;
  /// Bytes from the start whose quoting is as RFC 4180 has it; nothing behind is in the index. A multiple of 64
  /// when less than the window.
  size_t valid = 0;
  /// Some byte of the valid part, or of the 63 behind it, is ≥ 0x80.
  bool high_bytes = false;
};

/// Find the delimiters and line ends outside quotes in bytes that begin at a record start.
///
/// A quote is trusted only where every rule agrees on it: an opening one behind a delimiter, a line end, the start or
/// a closing one (doubled), a closing one before a delimiter, a line end (CR LF too) or another quote. The first 64
/// bytes that break this end the valid part, and so do NUL bytes unless they are kept.
/// Offsets are written with `base` added. `out` has room for one a byte and 64 more.
/// Source: quote parity by prefix XOR as in Langdale & Lemire, "Parsing Gigabytes of JSON per Second" (2019).
/// REQUIRES: no escape, LF line ends; `data` is readable for `size` + kPadding bytes.
WindowIndex IndexWindow(const Dialect& dialect, SimdLevel level, const char* data, size_t size, uint32_t base,
                        uint32_t* out);

/// Say whether IndexWindow knows the dialect.
bool CanIndex(const Dialect& dialect);

}  // namespace mutirao::formats::csv
