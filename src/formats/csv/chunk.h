#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mutirao::formats::csv {

/// A stretch of an input that one worker parses, cut where a record probably begins.
///
/// Whether one does is known when the chunk before it has been parsed: the scan checks it and parses again where the
/// guess was wrong.
struct Chunk {
  int64_t ordinal = 0;
  int64_t begin = 0;  ///< in the unpacked text
  /// The bytes and kPadding or more behind them; null for those of a file that are read while they are parsed.
  std::shared_ptr<std::string> data;
  size_t size = 0;
  bool last = false;
  int64_t line_base = -1;      ///< line ends before it; -1 when not counted yet
  int64_t line_ends = -1;      ///< within it; -1 when not counted
  int64_t original_begin = 0;  ///< in the unpacked bytes; differs from `begin` for utf-16
  int64_t stored_bytes = 0;    ///< what it took from the file

  int64_t end() const { return begin + static_cast<int64_t>(size); }
  std::string_view bytes() const { return {data->data(), size}; }
};

/// Find a place in `bytes`, at or after its beginning, where a record probably begins: behind a quote, a line end and
/// a quote if there is such a place, else behind the first line end. npos when there is no line end.
size_t GuessRecordStart(std::string_view bytes, int quote, bool cr_ends);

/// The same from the end: the last such place. npos when there is none.
size_t GuessLastRecordStart(std::string_view bytes, int quote, bool cr_ends);

}  // namespace mutirao::formats::csv
