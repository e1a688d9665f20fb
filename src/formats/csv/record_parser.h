#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/csv/dialect.h"

namespace mutirao::formats::csv {

/// What stands at a place where a record may begin.
enum class RecordKind : uint8_t {
  kRecord,
  kBlank,       ///< a line end at once
  kComment,     ///< a line that begins with the comment character
  kIncomplete,  ///< the bytes end before it does
  kTooLong,     ///< it goes on for more than max_record_bytes; `next` is behind its first line end
  kEnd,         ///< no byte left
};

/// What the exact rules say is wrong with a record, if anything.
enum class RecordFault : uint8_t { kNone, kTextAfterQuote, kOpenQuote, kStrayQuote };

/// One record as offsets into the bytes it was parsed from.
struct Record {
  RecordKind kind = RecordKind::kEnd;
  RecordFault fault = RecordFault::kNone;
  size_t fault_field = 0;
  size_t begin = 0;
  /// Where the line end stands (or the bytes end), and where the next record may begin.
  size_t end = 0;
  size_t next = 0;
  /// For every field the offset of the delimiter or line end behind it.
  std::vector<uint32_t> field_ends;
};

/// Divide bytes into records and fields by the rules of docs/design/csv-scan.md, one byte after the other.
///
/// This is the definition of the format: the quick paths must agree with it and fall back on it.
/// Threads: one at a time; `record` is reused so that nothing is allocated per record.
class RecordParser {
 public:
  explicit RecordParser(const Dialect& dialect) : dialect_(dialect) {}

  /// Parse what begins at `at`. `at_end`: nothing follows the bytes, so their end ends a record.
  void Parse(std::string_view bytes, size_t at, bool at_end, Record* record) const;

  /// The offset behind the first line end at or after `at`; npos when there is none (or, for a CR that may be
  /// followed by LF, when that is not known yet).
  size_t NextLine(std::string_view bytes, size_t at, bool at_end) const;

 private:
  struct Cursor;

  Dialect dialect_;
};

/// Append the text of a field to `out` as UTF-8: quotes and escapes taken away, NUL bytes dropped if that is the rule.
/// `field` is what stands between the delimiters. REQUIRES: it is valid in the encoding.
void DecodeField(const Dialect& dialect, std::string_view field, std::string* out);

/// Say whether a field begins with a quote, NUL bytes before it left out when they are dropped.
bool IsQuoted(const Dialect& dialect, std::string_view field);

}  // namespace mutirao::formats::csv
