#pragma once

#include "base/json.h"

namespace mutirao::formats::csv {

/// The JSON Schema of a read of CSV files: every key that a user may write. ParseCsvSpec takes these keys and no
/// others.
Json CsvReadSchema();

/// The JSON Schema of a column that is more than its name, in a layout or in `columns`.
Json ColumnSchema();

/// The JSON Schema of a layout's document. ParseLayout takes these keys and no others.
Json LayoutSchema();

}  // namespace mutirao::formats::csv
