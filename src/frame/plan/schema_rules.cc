#include "frame/plan/schema_rules.h"

#include <algorithm>
#include <array>
#include <set>

#include <arrow/type.h>
#include <fmt/format.h>

#include "base/diagnostic.h"

namespace mutirao::frame {

std::vector<std::string> ColumnNames(const arrow::Schema& schema) {
  return schema.field_names();
}

bool IsProvenanceColumn(std::string_view name) {
  static constexpr std::array<std::string_view, 5> kNames = {kSourceColumn, kMemberColumn, kLineColumn,
                                                             kByteOffsetColumn, kRawColumn};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::vector<std::string> VisibleColumns(const arrow::Schema& schema) {
  std::vector<std::string> names = schema.field_names();
  std::erase_if(names, [](const std::string& name) { return IsProvenanceColumn(name); });
  return names;
}

SchemaPtr VisibleSchema(const arrow::Schema& schema) {
  arrow::FieldVector fields = schema.fields();
  std::erase_if(fields, [](const auto& field) { return IsProvenanceColumn(field->name()); });
  return arrow::schema(std::move(fields));
}

Status UnknownColumn(std::string_view name, const arrow::Schema& schema, std::string_view input_name) {
  return Status::Invalid(fmt::format("column \"{}\" is not in {}", name, input_name))
      .Help(DidYouMean(name, VisibleColumns(schema)));
}

Result<TypePtr> ColumnType(const arrow::Schema& schema, const std::string& name) {
  int index = schema.GetFieldIndex(name);
  if (index < 0) return UnknownColumn(name, schema);
  return schema.field(index)->type();
}

Status CheckKeys(const arrow::Schema& schema, const std::vector<std::string>& names, std::string_view what) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    TypePtr type = MUTIRAO_TRY(ColumnType(schema, name));
    if (!seen.insert(name).second) return Status::Invalid(fmt::format("{} \"{}\" is named twice", what, name));
    if (type->id() == arrow::Type::LIST) {
      return Status::Invalid(
                 fmt::format("{} \"{}\" is a {}, and lists cannot be compared", what, name, TypeName(*type)))
          .Help("unnest the column first");
    }
  }
  return Status::Ok();
}

Status CheckOutputNames(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (name.empty()) return Status::Invalid("a column needs a name");
    if (!seen.insert(name).second) return Status::Invalid(fmt::format("two columns are named \"{}\"", name));
  }
  if (names.empty()) return Status::Invalid("no column is left");
  return Status::Ok();
}

bool SameColumns(const arrow::Schema& a, const arrow::Schema& b) {
  if (a.num_fields() != b.num_fields()) return false;
  for (int i = 0; i < a.num_fields(); ++i) {
    if (a.field(i)->name() != b.field(i)->name() || !a.field(i)->type()->Equals(*b.field(i)->type())) return false;
  }
  return true;
}

}  // namespace mutirao::frame
