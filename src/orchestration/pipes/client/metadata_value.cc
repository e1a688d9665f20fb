#include <cmath>

#include <fmt/format.h>

#include <mutirao/pipes.h>

#include "base/json.h"

namespace mutirao::pipes {

// Makes values in their form on the wire.
struct MetadataWire {
  using Json = mutirao::Json;

  static MetadataValue Make(const char* type, Json value) {
    Json wire = {{"raw_value", std::move(value)}, {"type", type}};
    return MetadataValue(Result<std::string>(wire.dump(-1, ' ', true, Json::error_handler_t::replace)));
  }
  static MetadataValue Fault(Status status) { return MetadataValue(Result<std::string>(std::move(status))); }
};

namespace {

using Json = mutirao::Json;

// JSON's floats need a fraction to be taken for such; nlohmann writes one for every double.
Json Fraction(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json ColumnsJson(const std::vector<TableColumn>& columns) {
  Json list = Json::array();
  for (const TableColumn& column : columns) {
    Json json = {{"name", column.name}, {"type", column.type}};
    if (!column.description.empty()) json["description"] = column.description;
    if (!column.tags.empty()) json["tags"] = column.tags;
    json["constraints"] = {
        {"nullable", column.nullable}, {"unique", column.unique}, {"other", column.other_constraints}};
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace

MetadataValue::MetadataValue(const char* text) : MetadataValue(std::string(text)) {}
MetadataValue::MetadataValue(std::string text) : MetadataValue(MetadataWire::Make("__infer__", std::move(text))) {}
MetadataValue::MetadataValue(bool value) : MetadataValue(MetadataWire::Make("__infer__", value)) {}
MetadataValue::MetadataValue(int value) : MetadataValue(MetadataWire::Make("__infer__", value)) {}
MetadataValue::MetadataValue(unsigned value) : MetadataValue(MetadataWire::Make("__infer__", value)) {}
MetadataValue::MetadataValue(long value) : MetadataValue(MetadataWire::Make("__infer__", value)) {}
MetadataValue::MetadataValue(unsigned long value) : MetadataValue(MetadataWire::Make("__infer__", value)) {}
MetadataValue::MetadataValue(long long value) : MetadataValue(MetadataWire::Make("__infer__", value)) {}
MetadataValue::MetadataValue(unsigned long long value) : MetadataValue(MetadataWire::Make("__infer__", value)) {}
MetadataValue::MetadataValue(double value) : MetadataValue(MetadataWire::Make("__infer__", Fraction(value))) {}
MetadataValue::MetadataValue(std::nullptr_t) : MetadataValue(MetadataWire::Make("__infer__", nullptr)) {}

MetadataValue MetadataValue::Text(std::string text) {
  return MetadataWire::Make("text", std::move(text));
}
MetadataValue MetadataValue::Markdown(std::string text) {
  return MetadataWire::Make("md", std::move(text));
}
MetadataValue MetadataValue::Url(std::string url) {
  return MetadataWire::Make("url", std::move(url));
}
MetadataValue MetadataValue::Path(std::string path) {
  return MetadataWire::Make("path", std::move(path));
}
MetadataValue MetadataValue::Notebook(std::string path) {
  return MetadataWire::Make("notebook", std::move(path));
}
MetadataValue MetadataValue::Float(double value) {
  return MetadataWire::Make("float", Fraction(value));
}
MetadataValue MetadataValue::Int(int64_t value) {
  return MetadataWire::Make("int", value);
}
MetadataValue MetadataValue::Bool(bool value) {
  return MetadataWire::Make("bool", value);
}
MetadataValue MetadataValue::Timestamp(double seconds_since_1970) {
  if (!std::isfinite(seconds_since_1970)) return MetadataWire::Fault(Status::Invalid("a timestamp must be a number"));
  return MetadataWire::Make("timestamp", seconds_since_1970);
}
MetadataValue MetadataValue::Null() {
  return MetadataWire::Make("null", nullptr);
}
MetadataValue MetadataValue::DagsterRun(std::string run_id) {
  return MetadataWire::Make("dagster_run", std::move(run_id));
}

MetadataValue MetadataValue::Json(std::string_view document) {
  Result<mutirao::Json> json = ParseJson(document);
  if (!json.ok()) return MetadataWire::Fault(json.status());
  if (json->is_number() || json->is_boolean()) {
    return MetadataWire::Fault(Status::Invalid("metadata of type json must be a mapping, a list, text or null"));
  }
  return MetadataWire::Make("json", *std::move(json));
}

MetadataValue MetadataValue::Asset(const std::vector<std::string>& components) {
  return MetadataWire::Make("asset", fmt::format("{}", fmt::join(components, "/")));
}

MetadataValue MetadataValue::Table(const std::vector<TableColumn>& columns,
                                   const std::vector<std::vector<MetadataValue>>& records) {
  mutirao::Json rows = mutirao::Json::array();
  for (const std::vector<MetadataValue>& record : records) {
    if (record.size() != columns.size()) {
      return MetadataWire::Fault(
          Status::Invalid(fmt::format("a record has {} values for {} columns", record.size(), columns.size())));
    }
    mutirao::Json row = mutirao::Json::object();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!record[i].wire().ok()) return record[i];
      mutirao::Json value = mutirao::Json::parse(*record[i].wire())["raw_value"];
      if (value.is_structured()) {
        return MetadataWire::Fault(Status::Invalid(fmt::format("column \"{}\" has no plain value", columns[i].name)));
      }
      row[columns[i].name] = std::move(value);
    }
    rows.push_back(std::move(row));
  }
  return MetadataWire::Make("table", {{"records", std::move(rows)}, {"schema", ColumnsJson(columns)}});
}

MetadataValue MetadataValue::TableSchema(const std::vector<TableColumn>& columns) {
  return MetadataWire::Make("table_schema", {{"columns", ColumnsJson(columns)}});
}

MetadataValue MetadataValue::ColumnLineage(const std::map<std::string, std::vector<ColumnDependency>>& by_column) {
  mutirao::Json columns = mutirao::Json::object();
  for (const auto& [column, dependencies] : by_column) {
    columns[column] = mutirao::Json::array();
    for (const ColumnDependency& dependency : dependencies) {
      columns[column].push_back({{"asset_key", dependency.asset_key}, {"column_name", dependency.column}});
    }
  }
  return MetadataWire::Make("table_column_lineage", {{"deps_by_column", std::move(columns)}});
}

}  // namespace mutirao::pipes
