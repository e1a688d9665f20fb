#include <arrow/type.h>
#include <fmt/format.h>

#include "frame/plan/plan_json.h"
#include "frame/plan/schema_rules.h"

namespace mutirao::frame {

Json SchemaToJson(const arrow::Schema& schema) {
  Json columns = Json::array();
  for (const auto& field : schema.fields()) {
    columns.push_back({{"name", field->name()}, {"type", TypeName(*field->type())}});
  }
  return columns;
}

Result<SchemaPtr> SchemaFromJson(const Json& json) {
  if (!json.is_array()) return Status::Invalid("a schema must be a list of columns");
  arrow::FieldVector fields;
  for (const Json& column : json) {
    auto has_text = [&](const char* key) { return column.contains(key) && column[key].is_string(); };
    if (!column.is_object() || !has_text("name") || !has_text("type")) {
      return Status::Invalid("a column of a schema needs \"name\" and \"type\", both text");
    }
    std::string name = column["name"];
    TypePtr type =
        MUTIRAO_TRY(ParseType(column["type"].get<std::string>()).Context(fmt::format("column \"{}\"", name)));
    fields.push_back(arrow::field(std::move(name), std::move(type)));
  }
  SchemaPtr schema = arrow::schema(std::move(fields));
  MUTIRAO_TRY(CheckOutputNames(ColumnNames(*schema)));
  return schema;
}

}  // namespace mutirao::frame
