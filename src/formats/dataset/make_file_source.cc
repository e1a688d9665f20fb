#include <algorithm>
#include <set>

#include <arrow/api.h>
#include <fmt/format.h>

#include "base/shape.h"
#include "formats/dataset/file_source.h"
#include "frame/plan/plan_json.h"
#include "storage/glob.h"
#include "storage/storage.h"

namespace mutirao::formats {
namespace {

// The part of a pattern that says where to look; folders below it may be partitions.
size_t FixedLength(const std::string& pattern, const std::string& uri) {
  if (uri.starts_with(pattern)) return pattern.size();  // a folder, or the file itself
  size_t wildcard = pattern.find_first_of("*?[{");
  return wildcard == std::string::npos ? 0 : pattern.rfind('/', wildcard) + 1;
}

Result<std::vector<SourceFile>> ListFiles(const Json& paths) {
  std::vector<std::string> patterns;
  if (paths.is_string()) patterns.push_back(paths.get<std::string>());
  if (paths.is_array()) patterns = paths.get<std::vector<std::string>>();
  std::vector<SourceFile> files;
  std::set<std::string> seen;
  for (const std::string& pattern : patterns) {
    auto store = MUTIRAO_TRY(storage::StoreFor(pattern));
    auto listed = MUTIRAO_TRY(store->List(pattern));
    for (storage::ObjectInfo& object : listed) {
      if (!seen.insert(object.uri).second) continue;
      auto partitions = PartitionsOf(std::string_view(object.uri).substr(FixedLength(pattern, object.uri)));
      files.push_back({.uri = std::move(object.uri), .size = object.size, .partitions = std::move(partitions)});
    }
  }
  return files;
}

Result<TypePtr> PartitionType(const std::string& column, const Json& spec, Diagnostics& errors) {
  if (!spec.contains("partitions") || !spec["partitions"].contains(column)) return arrow::utf8();
  auto type = ParseType(spec["partitions"][column].get<std::string>());
  if (!type.ok()) {
    errors.Add({.message = type.status().message(),
                .pointer = PointerJoin("/partitions", column),
                .help = type.status().help()});
  }
  return type;
}

bool Wanted(const Json& spec, const std::string& column) {
  if (!spec.contains("columns")) return true;
  return std::find(spec["columns"].begin(), spec["columns"].end(), column) != spec["columns"].end();
}

// The columns of the first file and of its path, in plan types.
Result<SchemaPtr> SchemaOf(const SourceFile& file, const arrow::Schema& in_file, const Json& spec,
                           Diagnostics& errors) {
  arrow::FieldVector fields;
  std::set<std::string> names;
  for (const auto& field : in_file.fields()) {
    if (!Wanted(spec, field->name())) continue;
    auto type = PlanTypeFor(*field->type()).Context(fmt::format("{}, column \"{}\"", file.uri, field->name()));
    if (!type.ok()) return std::move(type).status();
    if (!names.insert(field->name()).second) {
      return Status::Invalid(fmt::format("{} has two columns \"{}\"", file.uri, field->name()));
    }
    fields.push_back(arrow::field(field->name(), *type));
  }
  for (const PartitionValue& partition : file.partitions) {
    if (!Wanted(spec, partition.column) || !names.insert(partition.column).second) continue;
    auto type = MUTIRAO_TRY(PartitionType(partition.column, spec, errors));
    fields.push_back(arrow::field(partition.column, type));
  }
  return arrow::schema(std::move(fields));
}

// Names in the spec that no file has.
void CheckNames(const Json& spec, const SourceFile& file, const arrow::Schema& in_file, Diagnostics& errors) {
  std::vector<std::string> in_path;
  for (const PartitionValue& partition : file.partitions) in_path.push_back(partition.column);
  std::vector<std::string> all = in_file.field_names();
  all.insert(all.end(), in_path.begin(), in_path.end());
  auto check = [&](const std::string& name, const std::vector<std::string>& known, std::string pointer,
                   const char* what, bool at_key) {
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    errors.Add({.message = fmt::format("{} \"{}\" is not in {}", what, name, file.uri),
                .pointer = std::move(pointer),
                .at_key = at_key,
                .help = DidYouMean(name, known)});
  };
  if (spec.contains("columns")) {
    for (size_t i = 0; i < spec["columns"].size(); ++i) {
      check(spec["columns"][i].get<std::string>(), all, PointerJoin("/columns", i), "column", false);
    }
  }
  if (!spec.contains("partitions")) return;
  for (const auto& [name, type] : spec["partitions"].items()) {
    check(name, in_path, PointerJoin("/partitions", name), "partition column", true);
  }
}

Json Resolved(const Json& paths, const frame::FormatContext& context) {
  if (paths.is_string()) return storage::ResolvePath(context.base_dir, paths.get<std::string>());
  Json all = Json::array();
  for (const Json& path : paths) all.push_back(storage::ResolvePath(context.base_dir, path.get<std::string>()));
  return all;
}

Result<std::vector<int64_t>> ColumnBytesFrom(const Json& json, const arrow::Schema& schema) {
  const auto is_size = [](const Json& item) { return item.is_number_integer() && item.get<int64_t>() >= 0; };
  if (!json.is_array() || json.size() != static_cast<size_t>(schema.num_fields()) ||
      !std::all_of(json.begin(), json.end(), is_size)) {
    return Status::Invalid("the \"column_bytes\" of a source are one number from 0 for each column");
  }
  return json.get<std::vector<int64_t>>();
}

// What ToJson gave: nothing is looked up again.
Result<frame::SourcePtr> FromComplete(const std::string& kind, const Json& spec,
                                      std::shared_ptr<const ReadFormat> format) {
  if (!spec.contains("schema") || !spec["files"].is_array())
    return Status::Invalid("a complete source needs its schema");
  auto schema = MUTIRAO_TRY(frame::SchemaFromJson(spec["schema"]));
  std::vector<SourceFile> files;
  for (const Json& json : spec["files"]) {
    auto file = MUTIRAO_TRY(SourceFile::FromJson(json));
    files.push_back(std::move(file));
  }
  FileSource::Extent extent{.rows = spec.value("rows", int64_t{-1})};
  if (spec.contains("column_bytes")) extent.column_bytes = MUTIRAO_TRY(ColumnBytesFrom(spec["column_bytes"], *schema));
  return frame::SourcePtr(std::make_shared<FileSource>(kind, spec[kind], std::move(files), std::move(schema),
                                                       std::move(extent), std::move(format)));
}

int64_t EstimateRows(const GroupReader& first, int64_t first_bytes, int64_t all_bytes) {
  int64_t rows = 0;
  for (const GroupFacts& group : first.groups()) {
    if (group.rows < 0) return -1;
    rows += group.rows;
  }
  if (first_bytes <= 0 || first_bytes == all_bytes) return rows;
  return static_cast<int64_t>(static_cast<double>(rows) * static_cast<double>(all_bytes) /
                              static_cast<double>(first_bytes));
}

// Empty where a column of the file says nothing.
std::vector<int64_t> ColumnBytes(GroupReader& first, const arrow::Schema& schema) {
  std::vector<int64_t> bytes(static_cast<size_t>(schema.num_fields()), 0);
  for (int column = 0; column < schema.num_fields(); ++column) {
    const std::string& name = schema.field(column)->name();
    if (first.schema()->GetFieldIndex(name) < 0) continue;  // of the path
    for (size_t group = 0; group < first.groups().size(); ++group) {
      const int64_t its = first.BytesOf(static_cast<int>(group), {name});
      if (its < 0) return {};
      bytes[static_cast<size_t>(column)] += its;
    }
  }
  return bytes;
}

}  // namespace

Json FileSourceSchema(const std::string& kind) {
  Json properties = Json::object();
  Json path = {{"type", "string"}, {"minLength", 1}};
  properties[kind] = {{"anyOf", {path, {{"type", "array"}, {"items", path}, {"minItems", 1}}}},
                      {"x-expects", "a path or a list of paths"},
                      {"description", "Files, folders or globs; one or a list."}};
  properties["columns"] = {
      {"type", "array"},
      {"items", {{"type", "string"}}},
      {"minItems", 1},
      {"description", "Read only these; for files that have columns of types that cannot be read."}};
  properties["partitions"] = {
      {"type", "object"},
      {"additionalProperties", {{"type", "string"}}},
      {"description", "Types of the columns that stand in the path (uf=SP/); string by default."}};
  return {{"type", "object"},
          {"title", "a read of " + kind},
          {"properties", std::move(properties)},
          {"required", {kind}},
          {"additionalProperties", false}};
}

Result<frame::SourcePtr> MakeFileSource(const std::string& kind, const Json& spec, const frame::FormatContext& context,
                                        std::shared_ptr<const ReadFormat> format, Diagnostics& errors) {
  if (spec.is_object() && spec.contains("files")) return FromComplete(kind, spec, std::move(format));
  size_t faults = errors.size();
  Json schema_of_spec = FileSourceSchema(kind);
  CheckShape(spec, schema_of_spec, schema_of_spec, "", errors);
  if (errors.size() > faults) return errors.ToStatus();
  Json paths = Resolved(spec[kind], context);
  auto add = [&](const Status& status) {
    errors.Add({.message = status.ToString(), .pointer = PointerJoin("", kind), .help = status.help()});
    return status;
  };
  auto files = ListFiles(paths);
  if (!files.ok()) return add(files.status());
  auto first = OpenGroups(*format, files->front().uri);
  if (!first.ok()) return add(first.status());
  CheckNames(spec, files->front(), *(*first)->schema(), errors);
  auto schema = SchemaOf(files->front(), *(*first)->schema(), spec, errors);
  if (!schema.ok() && errors.size() == faults) return add(schema.status());
  if (errors.size() > faults) return errors.ToStatus();
  int64_t bytes = 0;
  for (const SourceFile& file : *files) bytes += file.size;
  FileSource::Extent extent{.rows = EstimateRows(**first, files->front().size, bytes),
                            .column_bytes = ColumnBytes(**first, **schema)};
  return frame::SourcePtr(std::make_shared<FileSource>(kind, std::move(paths), std::move(*files), std::move(*schema),
                                                       std::move(extent), std::move(format)));
}

}  // namespace mutirao::formats
