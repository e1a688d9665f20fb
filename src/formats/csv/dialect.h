#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/csv/encoding.h"

namespace mutirao::formats::csv {

/// What becomes of quotes that stand where RFC 4180 has none.
enum class QuoteRule : uint8_t {
  kStandard,  ///< inside an unquoted field text; text behind a closing quote or an open end makes the record bad
  kStrict,    ///< each of them makes the record bad
  kLenient,   ///< all are kept as text
};

/// What becomes of NUL bytes.
enum class NulRule : uint8_t { kDrop, kKeep, kError };

/// How the bytes of a file are divided into records and fields. Characters are bytes; -1 means there is none.
struct Dialect {
  char delimiter = ',';
  int quote = '"';
  /// Stands before a quote inside a quoted field instead of a second quote, and before a delimiter or quote outside;
  /// before other characters it is dropped.
  int escape = -1;
  int comment = -1;
  Encoding encoding = Encoding::kUtf8;
  /// A lone CR ends a record too.
  bool cr_ends = false;
  QuoteRule quotes = QuoteRule::kStandard;
  NulRule nul = NulRule::kDrop;
  bool header = true;
  /// Physical lines before the header.
  int64_t skip = 0;
  /// Texts that mean null, quoted or not, as UTF-8.
  std::vector<std::string> nulls;
  int64_t max_record_bytes = int64_t{16} << 20;

  /// The escape inside quotes differs from the quote itself.
  bool escapes() const { return escape >= 0 && escape != quote; }
};

}  // namespace mutirao::formats::csv
