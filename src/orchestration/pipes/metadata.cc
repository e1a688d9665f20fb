#include "orchestration/pipes/metadata.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/shape.h"

namespace mutirao::orchestration::pipes {
namespace {

struct TypeName {
  std::string_view name;
  MetadataType type;
};

constexpr TypeName kTypes[] = {
    {"text", MetadataType::kText},
    {"md", MetadataType::kMarkdown},
    {"url", MetadataType::kUrl},
    {"path", MetadataType::kPath},
    {"notebook", MetadataType::kNotebook},
    {"float", MetadataType::kFloat},
    {"int", MetadataType::kInt},
    {"bool", MetadataType::kBool},
    {"json", MetadataType::kJson},
    {"timestamp", MetadataType::kTimestamp},
    {"null", MetadataType::kNull},
    {"dagster_run", MetadataType::kRun},
    {"asset", MetadataType::kAsset},
    {"table", MetadataType::kTable},
    {"table_schema", MetadataType::kTableSchema},
    {"table_column_lineage", MetadataType::kColumnLineage},
};

Status Expects(std::string_view what, const Json& value) {
  return Status::Invalid(fmt::format("expects {}, not {}", what, DescribeJsonType(value)));
}

Result<const Json*> Member(const Json& map, const char* key, std::string_view of) {
  if (!map.is_object()) return Expects(fmt::format("a mapping for {}", of), map);
  auto found = map.find(key);
  if (found == map.end()) return Status::Invalid(fmt::format("{} has no \"{}\"", of, key));
  return &*found;
}

Result<std::string> TextMember(const Json& map, const char* key, std::string_view of) {
  const Json* value = MUTIRAO_TRY(Member(map, key, of));
  if (!value->is_string()) return Expects(fmt::format("text under \"{}\" of {}", key, of), *value);
  return value->get<std::string>();
}

MetadataType Infer(const Json& value) {
  if (value.is_null()) return MetadataType::kNull;
  if (value.is_string()) return MetadataType::kText;
  if (value.is_boolean()) return MetadataType::kBool;
  if (value.is_number_integer()) return MetadataType::kInt;
  return value.is_number() ? MetadataType::kFloat : MetadataType::kJson;
}

// A flag of a column's constraints; absent means the default.
Result<bool> Flag(const Json& constraints, const char* key, bool otherwise) {
  auto found = constraints.find(key);
  if (found == constraints.end()) return otherwise;
  if (!found->is_boolean()) return Expects(fmt::format("true or false under \"{}\" of constraints", key), *found);
  return found->get<bool>();
}

Result<Json> ReadConstraints(const Json* wire) {
  Json constraints = {{"nullable", true}, {"unique", false}, {"other", Json::array()}};
  if (wire == nullptr || wire->is_null()) return constraints;
  if (!wire->is_object()) return Expects("a mapping for constraints", *wire);
  bool nullable = MUTIRAO_TRY(Flag(*wire, "nullable", true));
  bool unique = MUTIRAO_TRY(Flag(*wire, "unique", false));
  constraints["nullable"] = nullable;
  constraints["unique"] = unique;
  auto other = wire->find("other");
  if (other == wire->end() || other->is_null()) return constraints;
  const bool texts =
      other->is_array() && std::all_of(other->begin(), other->end(), [](const Json& item) { return item.is_string(); });
  if (!texts) return Expects("a list of texts under \"other\" of constraints", *other);
  constraints["other"] = *other;
  return constraints;
}

Result<Json> ReadColumn(const Json& wire) {
  Json column;
  std::string name = MUTIRAO_TRY(TextMember(wire, "name", "a column"));
  std::string type = MUTIRAO_TRY(TextMember(wire, "type", "a column"));
  column["name"] = std::move(name);
  column["type"] = std::move(type);
  auto optional = [&](const char* key) -> const Json* {
    auto found = wire.find(key);
    return found == wire.end() || found->is_null() ? nullptr : &*found;
  };
  const Json* description = optional("description");
  if (description != nullptr && !description->is_string()) return Expects("text for a description", *description);
  column["description"] = description != nullptr ? *description : Json();
  const Json* tags = optional("tags");
  const bool texts = tags == nullptr || (tags->is_object() && std::all_of(tags->begin(), tags->end(),
                                                                          [](const Json& v) { return v.is_string(); }));
  if (!texts) return Expects("a mapping of texts for the tags of a column", *tags);
  column["tags"] = tags != nullptr ? *tags : Json::object();
  Json constraints = MUTIRAO_TRY(ReadConstraints(optional("constraints")));
  column["constraints"] = std::move(constraints);
  return column;
}

Result<Json> ReadColumns(const Json& wire) {
  if (!wire.is_array()) return Expects("a list of columns", wire);
  Json columns = Json::array();
  for (const Json& item : wire) {
    Json column = MUTIRAO_TRY(ReadColumn(item));
    columns.push_back(std::move(column));
  }
  return columns;
}

Result<Json> ReadTable(const Json& wire) {
  const Json* records = MUTIRAO_TRY(Member(wire, "records", "a table"));
  const Json* schema = MUTIRAO_TRY(Member(wire, "schema", "a table"));
  if (!records->is_array()) return Expects("a list under \"records\"", *records);
  for (const Json& record : *records) {
    if (!record.is_object()) return Expects("a mapping for a record", record);
    for (const auto& [name, value] : record.items()) {
      if (value.is_structured()) return Expects(fmt::format("a plain value for \"{}\" of a record", name), value);
    }
  }
  Json columns = MUTIRAO_TRY(ReadColumns(*schema));
  return Json{{"records", *records}, {"schema", std::move(columns)}};
}

Result<Json> ReadTableSchema(const Json& wire) {
  const Json* columns = MUTIRAO_TRY(Member(wire, "columns", "a table schema"));
  Json read = MUTIRAO_TRY(ReadColumns(*columns));
  return Json{{"columns", std::move(read)}};
}

Result<Json> ReadLineageAsset(const Json& wire) {
  if (wire.is_string()) return Json::array({wire});
  const bool components =
      wire.is_array() && std::all_of(wire.begin(), wire.end(), [](const Json& item) { return item.is_string(); });
  if (!components) return Expects("text or a list of texts for an asset key", wire);
  return wire;
}

Result<Json> ReadLineage(const Json& wire) {
  const Json* by_column = MUTIRAO_TRY(Member(wire, "deps_by_column", "a column lineage"));
  if (!by_column->is_object()) return Expects("a mapping under \"deps_by_column\"", *by_column);
  Json read = Json::object();
  for (const auto& [column, wire_dependencies] : by_column->items()) {
    if (!wire_dependencies.is_array()) return Expects("a list of dependencies of a column", wire_dependencies);
    Json& dependencies = read[column];
    dependencies = Json::array();
    for (const Json& item : wire_dependencies) {
      const Json* wire_asset = MUTIRAO_TRY(Member(item, "asset_key", "a dependency"));
      Json asset = MUTIRAO_TRY(ReadLineageAsset(*wire_asset));
      std::string name = MUTIRAO_TRY(TextMember(item, "column_name", "a dependency"));
      dependencies.push_back({{"asset_key", std::move(asset)}, {"column_name", std::move(name)}});
    }
  }
  return Json{{"deps_by_column", std::move(read)}};
}

Json SplitAsset(const std::string& text) {
  Json components = Json::array();
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('/', begin), text.size());
    components.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return components;
}

Result<Json> ReadValue(MetadataType type, const Json& value) {
  switch (type) {
    case MetadataType::kText:
    case MetadataType::kMarkdown:
    case MetadataType::kUrl:
    case MetadataType::kPath:
    case MetadataType::kNotebook:
    case MetadataType::kRun:
      if (!value.is_string()) return Expects("text", value);
      return value;
    case MetadataType::kFloat:
      if (!value.is_number_float() && !value.is_null()) return Expects("a number with a fraction, or null", value);
      return value;
    case MetadataType::kInt:
      if (!value.is_number_integer() && !value.is_null()) return Expects("a whole number of 64 bits, or null", value);
      return value;
    case MetadataType::kBool:
      if (!value.is_boolean() && !value.is_null()) return Expects("true, false or null", value);
      return value;
    case MetadataType::kJson:
      if (value.is_number() || value.is_boolean()) return Expects("a mapping, a list, text or null", value);
      return value;
    case MetadataType::kTimestamp:
      if (!value.is_number()) return Expects("seconds since 1970", value);
      return value;
    case MetadataType::kNull:
      return Json();
    case MetadataType::kAsset:
      if (!value.is_string()) return Expects("text", value);
      return SplitAsset(value.get<std::string>());
    case MetadataType::kTable:
      return ReadTable(value);
    case MetadataType::kTableSchema:
      return ReadTableSchema(value);
    case MetadataType::kColumnLineage:
      return ReadLineage(value);
  }
  return Status::Internal("a metadata type without a rule");
}

}  // namespace

std::string_view MetadataTypeName(MetadataType type) {
  for (const TypeName& known : kTypes) {
    if (known.type == type) return known.name;
  }
  return "unknown";
}

Result<MetadataValue> ReadMetadataValue(const Json& wire) {
  const Json* value = MUTIRAO_TRY(Member(wire, "raw_value", "a metadata value"));
  std::string name = MUTIRAO_TRY(TextMember(wire, "type", "a metadata value"));
  MetadataValue read;
  if (name == "__infer__") {
    read.type = Infer(*value);
  } else {
    auto known =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& type) { return type.name == name; });
    if (known == std::end(kTypes)) return Status::Invalid(fmt::format("there is no metadata type \"{}\"", name));
    read.type = known->type;
  }
  read.value = MUTIRAO_TRY(ReadValue(read.type, *value).Context(fmt::format("type {}", MetadataTypeName(read.type))));
  return read;
}

Result<Metadata> ReadMetadata(const Json& wire) {
  Metadata metadata;
  if (wire.is_null()) return metadata;
  if (!wire.is_object()) return Expects("a mapping or null for metadata", wire);
  for (const auto& [key, value] : wire.items()) {
    MetadataValue read = MUTIRAO_TRY(ReadMetadataValue(value).Context(fmt::format("metadata \"{}\"", key)));
    metadata.emplace_back(key, std::move(read));
  }
  return metadata;
}

Json MetadataToJson(const Metadata& metadata) {
  Json json = Json::object();
  for (const auto& [key, value] : metadata) {
    json[key]["type"] = MetadataTypeName(value.type);
    json[key]["value"] = value.value;
  }
  return json;
}

}  // namespace mutirao::orchestration::pipes
