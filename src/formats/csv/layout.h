#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"
#include "formats/csv/column_spec.h"

namespace mutirao::formats::csv {

/// A named description of a file: its columns, and how it is written where that differs from the defaults.
///
/// The document form is {"name", "description", "delimiter", "quote", "escape", "encoding", "header", "nulls", "nul",
/// "newline", "comment", "skip", "columns": [{"name", "type", "format", "description"}]}; a column may also be its
/// name alone. See docs/formats/layout.md.
struct Layout {
  std::string name;
  std::string description;
  std::vector<ColumnSpec> columns;
  /// The other keys as they stand; defaults for the keys of the same names in a read.
  Json dialect = Json::object();
};

/// Read a layout's document. Faults are added to `errors` with pointers below `pointer`; the Status is then kInvalid.
Result<Layout> ParseLayout(const Json& document, const std::string& pointer, Diagnostics& errors);

/// Read a list of columns as a layout or the `columns` key of a read has it.
std::vector<ColumnSpec> ParseColumns(const Json& list, const std::string& pointer, Diagnostics& errors);

/// Read a column's type, "date" or {"type": "date", "format": "%Y%m%d"}, into `column`.
void ParseColumnType(const Json& value, const std::string& pointer, ColumnSpec* column, Diagnostics& errors);

/// The document of a layout that comes with the program ("cnpj/empresas"), or nothing.
std::optional<Json> BuiltinLayout(std::string_view name);

/// The names of all of them, sorted.
std::vector<std::string> BuiltinLayoutNames();

}  // namespace mutirao::formats::csv
