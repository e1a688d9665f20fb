#include "formats/inline/inline_source.h"

#include <algorithm>
#include <atomic>

#include <arrow/api.h>
#include <fmt/format.h>

#include "base/shape.h"
#include "columnar/arrow_status.h"

namespace mutirao::formats {
namespace {

class InlineScan : public frame::Scan {
 public:
  InlineScan(BatchPtr rows, const frame::ScanRequest& request, const frame::ScanContext& context)
      : rows_(std::move(rows)), batch_rows_(std::max<int64_t>(request.batch_rows, 1)), context_(context) {}

  Result<frame::Morsel> Next(int) override {
    if (context_.stop.stop_requested()) return Status::Cancelled("the scan was stopped");
    int64_t sequence = next_++;
    int64_t begin = sequence * batch_rows_;
    if (begin >= rows_->num_rows()) return frame::Morsel{};
    BatchPtr batch = rows_->Slice(begin, batch_rows_);
    context_.counters->rows_read += batch->num_rows();
    context_.counters->rows_delivered += batch->num_rows();
    return frame::Morsel{.batch = std::move(batch), .sequence = sequence};
  }

 private:
  BatchPtr rows_;
  int64_t batch_rows_;
  frame::ScanContext context_;
  std::atomic<int64_t> next_{0};
};

class InlineSource : public frame::Source {
 public:
  InlineSource(Json spec, BatchPtr rows) : spec_(std::move(spec)), rows_(std::move(rows)), schema_(rows_->schema()) {}

  std::string kind() const override { return "inline"; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override { return {{"inline", spec_}}; }
  std::string Describe() const override {
    return fmt::format("inline ({} row{})", rows_->num_rows(), rows_->num_rows() == 1 ? "" : "s");
  }
  bool CanPush(const frame::Expr&) const override { return false; }
  int64_t EstimatedRows() const override { return rows_->num_rows(); }
  int64_t TotalBytes() const override { return 0; }

  Result<std::vector<frame::Split>> Splits(int64_t) const override {
    return std::vector<frame::Split>{{.description = {{"all", true}}, .bytes = 0, .rows = rows_->num_rows()}};
  }

  Result<std::unique_ptr<frame::Scan>> Open(const frame::ScanRequest& request,
                                            const frame::ScanContext& context) const override {
    if (request.predicate) return Status::Internal("a predicate was pushed into an inline source");
    arrow::FieldVector fields;
    std::vector<ArrayPtr> columns;
    for (const std::string& name : request.columns) {
      int index = schema_->GetFieldIndex(name);
      if (index < 0) return Status::Invalid("column \"" + name + "\" is not in the inline rows");
      fields.push_back(schema_->field(index));
      columns.push_back(rows_->column(index));
    }
    auto rows = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows_->num_rows(), std::move(columns));
    return std::unique_ptr<frame::Scan>(std::make_unique<InlineScan>(std::move(rows), request, context));
  }

 private:
  Json spec_;
  BatchPtr rows_;
  SchemaPtr schema_;
};

// The type of all values of a column; empty when they do not go together.
std::string InferType(const std::vector<const Json*>& values) {
  std::string type;
  for (const Json* value : values) {
    std::string one = value->is_boolean()          ? "bool"
                      : value->is_number_integer() ? "int64"
                      : value->is_number()         ? "float64"
                      : value->is_string()         ? "string"
                                                   : "";
    if (value->is_null()) continue;
    bool are_numbers = (type == "int64" || type == "float64") && (one == "int64" || one == "float64");
    if (type.empty() || type == one) {
      type = one;
    } else if (are_numbers) {
      type = "float64";
    } else {
      return "";
    }
    if (type.empty()) return "";
  }
  return type.empty() ? "string" : type;
}

// A list of mappings as {columns, rows}.
Result<Json> FromMappings(const Json& rows, Diagnostics& errors) {
  static const Json null;
  std::vector<std::string> names;
  for (const Json& row : rows) {
    for (const auto& [name, value] : row.items()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  Json columns = Json::object();
  for (const std::string& name : names) {
    std::vector<const Json*> values;
    for (const Json& row : rows) values.push_back(row.contains(name) ? &row[name] : &null);
    std::string type = InferType(values);
    if (type.empty()) {
      errors.Add({.message = fmt::format("the values of \"{}\" are of no one simple type", name),
                  .pointer = "/inline",
                  .help = "say the types: inline: {columns: {name: type}, rows: [[…]]}"});
    }
    columns[name] = type;
  }
  Json lists = Json::array();
  for (const Json& row : rows) {
    Json list = Json::array();
    for (const std::string& name : names) list.push_back(row.contains(name) ? row[name] : null);
    lists.push_back(std::move(list));
  }
  return Json{{"columns", std::move(columns)}, {"rows", std::move(lists)}};
}

bool CheckWidths(const Json& inline_spec, Diagnostics& errors) {
  size_t faults = errors.size();
  for (size_t i = 0; i < inline_spec["rows"].size(); ++i) {
    size_t width = inline_spec["rows"][i].size();
    if (width == inline_spec["columns"].size()) continue;
    errors.Add(PointerJoin("/inline/rows", i),
               fmt::format("row {} has {} values for {} columns", i + 1, width, inline_spec["columns"].size()));
  }
  return errors.size() == faults;
}

Result<BatchPtr> RowsOf(const Json& inline_spec, Diagnostics& errors) {
  if (!CheckWidths(inline_spec, errors)) return errors.ToStatus();
  arrow::FieldVector fields;
  std::vector<ArrayPtr> columns;
  size_t faults = errors.size();
  size_t next = 0;
  for (const auto& [name, type_name] : inline_spec["columns"].items()) {
    size_t index = next++;
    auto type = ParseType(type_name.get<std::string>());
    if (!type.ok()) {
      errors.Add({.message = type.status().message(),
                  .pointer = PointerJoin("/inline/columns", name),
                  .help = type.status().help()});
      continue;
    }
    std::vector<const Json*> values;
    for (const Json& row : inline_spec["rows"]) values.push_back(&row[index]);
    size_t row = 0;
    auto column = ColumnFromJson(values, *type, &row);
    if (!column.ok()) {
      errors.Add({.message = column.status().message(),
                  .pointer = PointerJoin(PointerJoin("/inline/rows", row), index),
                  .help = column.status().help()});
    } else {
      fields.push_back(arrow::field(name, *type));
      columns.push_back(std::move(*column));
    }
  }
  if (errors.size() > faults) return errors.ToStatus();
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), static_cast<int64_t>(inline_spec["rows"].size()),
                                  std::move(columns));
}

Json InlineSchema() {
  Json typed = {
      {"type", "object"},
      {"title", "inline rows"},
      {"properties",
       {{"columns",
         {{"type", "object"},
          {"additionalProperties", {{"type", "string"}}},
          {"description", "Types by column name."}}},
        {"rows", {{"type", "array"}, {"items", {{"type", "array"}}}, {"description", "One list of values a row."}}}}},
      {"required", {"columns", "rows"}},
      {"additionalProperties", false}};
  Json mappings = {{"type", "array"}, {"minItems", 1}, {"items", {{"type", "object"}}}};
  return {{"type", "object"},
          {"title", "a read of inline rows"},
          {"properties",
           {{"inline",
             {{"anyOf", {std::move(typed), std::move(mappings)}},
              {"x-expects", "a mapping with columns and rows, or a list of mappings"},
              {"description", "Rows written here: {columns: {name: type}, rows: [[…]]} or a list of mappings."}}}}},
          {"required", {"inline"}},
          {"additionalProperties", false}};
}

Result<frame::SourcePtr> MakeInline(const Json& spec, const frame::FormatContext&, Diagnostics& errors) {
  size_t faults = errors.size();
  Json schema = InlineSchema();
  CheckShape(spec, schema, schema, "", errors);
  if (errors.size() > faults) return errors.ToStatus();
  Json rows = spec["inline"];
  if (rows.is_array()) rows = MUTIRAO_TRY(FromMappings(rows, errors));
  if (errors.size() > faults) return errors.ToStatus();
  auto batch = MUTIRAO_TRY(RowsOf(rows, errors));
  return frame::SourcePtr(std::make_shared<InlineSource>(std::move(rows), std::move(batch)));
}

}  // namespace

void RegisterInline(frame::FormatRegistry& registry) {
  registry.AddSource("inline", MakeInline, InlineSchema());
}

}  // namespace mutirao::formats
