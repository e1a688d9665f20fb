#pragma once

#include "frame/format_registry.h"

namespace mutirao::formats {

/// Add the source of kind "inline": rows written in the job itself, for tests, examples and small tables.
///
/// {columns: {n: int64, name: string}, rows: [[1, "a"], [2, null]]}, or a list of mappings whose types are found from
/// the values: true/false, whole numbers, numbers, text.
void RegisterInline(frame::FormatRegistry& registry);

/// Build one column from JSON values, null for null. Dates, timestamps and decimals are text as cast() reads it.
/// Errors: kInvalid naming the value; `row` is set to where it stands.
Result<ArrayPtr> ColumnFromJson(const std::vector<const Json*>& values, const TypePtr& type, size_t* row);

}  // namespace mutirao::formats
