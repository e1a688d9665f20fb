#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

#include "formats/csv/dialect.h"

namespace mutirao::formats::csv {

/// What stands before the first record of data.
struct Preamble {
  size_t data_begin = 0;
  /// Fields of the header as UTF-8, as they stand; empty when the dialect has no header.
  std::vector<std::string> header;
};

/// Read mark, skipped lines and header from the beginning of a file.
///
/// Gives nothing when more bytes are needed. `name` is how errors call the file.
/// Errors: kInvalid for a file that is empty though a header was promised, a header that breaks the rules, a mark of
/// another encoding, and a file whose only line ends are lone CRs.
Result<std::optional<Preamble>> ReadPreamble(const Dialect& dialect, std::string_view head, bool at_end,
                                             const std::string& name);

/// Make the fields of a header usable as column names: an empty one becomes column_3, a doubled one name_2. What was
/// changed is told in `warnings`.
std::vector<std::string> ColumnNames(const std::vector<std::string>& header, std::vector<std::string>* warnings);

}  // namespace mutirao::formats::csv
