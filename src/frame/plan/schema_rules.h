#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "columnar/type.h"
#include "frame/source.h"

namespace mutirao::frame {

/// Give the names of all columns, in order.
std::vector<std::string> ColumnNames(const arrow::Schema& schema);

/// Say whether a name is one of the provenance columns, which users neither see nor name.
bool IsProvenanceColumn(std::string_view name);

/// Give the names of the columns that users see.
std::vector<std::string> VisibleColumns(const arrow::Schema& schema);

/// Give a schema without the provenance columns.
SchemaPtr VisibleSchema(const arrow::Schema& schema);

/// Say that there is no such column in `input_name`, with a did-you-mean.
Status UnknownColumn(std::string_view name, const arrow::Schema& schema, std::string_view input_name = "the input");

/// Find the type of a column. Errors: kInvalid when there is none of that name.
Result<TypePtr> ColumnType(const arrow::Schema& schema, const std::string& name);

/// Check that columns exist, none is named twice, and their values can be compared, which those of lists cannot.
Status CheckKeys(const arrow::Schema& schema, const std::vector<std::string>& names, std::string_view what);

/// Check that no name is empty or given twice.
Status CheckOutputNames(const std::vector<std::string>& names);

/// Say whether two schemas have the same columns by name and type, in the same order.
bool SameColumns(const arrow::Schema& a, const arrow::Schema& b);

}  // namespace mutirao::frame
