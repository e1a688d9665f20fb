#include "formats/csv/layout.h"

#include <algorithm>
#include <set>
#include <utility>

#include <arrow/type.h>
#include <fmt/format.h>

#include "formats/csv/csv_schema.h"
#include "formats/csv/value_parser.h"

namespace mutirao::formats::csv {
namespace {

// The keys of `object` must be properties of a JSON Schema.
void CheckKeys(const Json& object, const Json& schema, const std::string& pointer, Diagnostics& errors) {
  std::vector<std::string> known;
  for (const auto& [key, property] : schema["properties"].items()) known.push_back(key);
  for (const auto& [key, value] : object.items()) {
    if (schema["properties"].contains(key)) continue;
    errors.Add({.message = fmt::format("unknown key \"{}\"", key),
                .pointer = PointerJoin(pointer, key),
                .at_key = true,
                .help = DidYouMean(key, known)});
  }
}

ColumnSpec ParseColumn(const Json& value, const std::string& pointer, Diagnostics& errors) {
  ColumnSpec column{.type = arrow::utf8()};
  if (value.is_string()) {
    column.name = value;
    return column;
  }
  if (!value.is_object() || !value.contains("name") || !value["name"].is_string()) {
    errors.Add(pointer, "a column is a name or {name, type, format, description}");
    return column;
  }
  CheckKeys(value, ColumnSchema(), pointer, errors);
  column.name = value["name"];
  if (value.contains("type") || value.contains("format")) ParseColumnType(value, pointer, &column, errors);
  return column;
}

}  // namespace

void ParseColumnType(const Json& value, const std::string& pointer, ColumnSpec* column, Diagnostics& errors) {
  const bool object = value.is_object();
  const Json& type = object && value.contains("type") ? value["type"] : value;
  const std::string type_pointer = object ? PointerJoin(pointer, "type") : pointer;
  if (!type.is_string()) {
    if (!object || value.contains("type")) errors.Add(type_pointer, "a type is text, such as date or decimal(18,2)");
  } else if (auto parsed = ParseType(type.get<std::string>()); parsed.ok()) {
    column->type = *parsed;
  } else {
    errors.Add({.message = parsed.status().message(), .pointer = type_pointer, .help = parsed.status().help()});
    return;
  }
  if (object && value.contains("format")) {
    if (!value["format"].is_string()) {
      errors.Add(PointerJoin(pointer, "format"), "a format is text, such as '%Y%m%d'");
      return;
    }
    column->format = value["format"];
  }
  if (column->type->id() == arrow::Type::STRING && column->format.empty()) return;
  const auto parser = ValueParser::Make(*column);
  if (parser.ok()) return;
  errors.Add({.message = parser.status().message(),
              .pointer = column->format.empty() ? type_pointer : PointerJoin(pointer, "format"),
              .help = parser.status().help()});
}

std::vector<ColumnSpec> ParseColumns(const Json& list, const std::string& pointer, Diagnostics& errors) {
  std::vector<ColumnSpec> columns;
  if (!list.is_array() || list.empty()) {
    errors.Add(pointer, "columns is a list of at least one column");
    return columns;
  }
  std::set<std::string> seen;
  for (size_t i = 0; i < list.size(); ++i) {
    columns.push_back(ParseColumn(list[i], PointerJoin(pointer, i), errors));
    const std::string& name = columns.back().name;
    if (!name.empty() && !seen.insert(name).second)
      errors.Add(PointerJoin(pointer, i), fmt::format("column \"{}\" is named twice", name));
  }
  return columns;
}

Result<Layout> ParseLayout(const Json& document, const std::string& pointer, Diagnostics& errors) {
  const size_t before = errors.size();
  if (!document.is_object()) {
    errors.Add(pointer, "a layout is a mapping with columns");
    return errors.ToStatus();
  }
  CheckKeys(document, LayoutSchema(), pointer, errors);
  Layout layout;
  for (const auto& [key, value] : document.items()) {
    if (key == "columns") continue;
    if (key == "name" || key == "description") {
      if (!value.is_string()) errors.Add(PointerJoin(pointer, key), fmt::format("{} is text", key));
      if (value.is_string()) (key == "name" ? layout.name : layout.description) = value.get<std::string>();
    } else {
      layout.dialect[key] = value;
    }
  }
  if (!document.contains("columns")) {
    errors.Add(pointer, "a layout needs columns");
  } else {
    layout.columns = ParseColumns(document["columns"], PointerJoin(pointer, "columns"), errors);
  }
  if (errors.size() > before) return errors.ToStatus();
  return layout;
}

}  // namespace mutirao::formats::csv
