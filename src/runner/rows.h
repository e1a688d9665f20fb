#pragma once

#include <string>
#include <vector>

#include "columnar/type.h"

namespace mutirao::runner {

/// A value for people: text as it is, null as "null", lists in brackets.
std::string ValueText(const arrow::Array& array, int64_t row);

/// Draw rows as a table with a header and types; cells are cut to `widest` characters.
std::string DrawTable(const SchemaPtr& schema, const std::vector<BatchPtr>& batches, int widest);

/// One JSON object a line.
std::string JsonLines(const SchemaPtr& schema, const std::vector<BatchPtr>& batches);

}  // namespace mutirao::runner
