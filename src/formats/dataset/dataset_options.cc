#include <set>

#include <arrow/api.h>
#include <fmt/format.h>

#include "base/shape.h"
#include "formats/dataset/dataset_sink.h"
#include "formats/dataset/partition_split.h"
#include "storage/storage.h"

namespace mutirao::formats {
namespace {

void CheckPartitions(const std::vector<std::string>& names, const arrow::Schema& columns, Diagnostics& errors) {
  std::vector<std::string> known = columns.field_names();
  std::set<std::string> seen;
  for (size_t i = 0; i < names.size(); ++i) {
    std::string pointer = PointerJoin("/partition_by", i);
    int index = columns.GetFieldIndex(names[i]);
    if (index < 0) {
      errors.Add({.message = fmt::format("column \"{}\" is not in the frame", names[i]),
                  .pointer = pointer,
                  .help = DidYouMean(names[i], known)});
    } else if (Status fits = CheckPartitionType(names[i], *columns.field(index)->type()); !fits.ok()) {
      errors.Add({.message = fits.message(), .pointer = pointer, .help = fits.help()});
    } else if (!seen.insert(names[i]).second) {
      errors.Add(pointer, fmt::format("column \"{}\" is named twice", names[i]));
    }
  }
  if (!names.empty() && seen.size() == known.size()) {
    errors.Add("/partition_by", "no column would be left to store in the files");
  }
}

void CheckSingleFile(const DatasetOptions& options, const std::string& extension, Diagnostics& errors) {
  std::string why = fmt::format("a target that ends in {} is one file", extension);
  if (options.mode == storage::PublishMode::kAppend) {
    errors.Add({.message = "nothing can be appended to a single file",
                .pointer = "/mode",
                .help = why + "; name a folder to append to"});
  }
  if (!options.partition_by.empty()) {
    errors.Add({.message = "a single file cannot be partitioned",
                .pointer = "/partition_by",
                .help = why + "; name a folder to partition"});
  }
}

}  // namespace

Json DatasetProperties(const std::string& kind) {
  Json properties = Json::object();
  properties[kind] = {
      {"type", "string"},
      {"minLength", 1},
      {"description", "Where the output goes: a folder, or one file when the name has the format's extension."}};
  properties["mode"] = {
      {"enum", {"error", "overwrite", "append"}},
      {"default", "error"},
      {"description", "What to do when the output exists: fail, replace it whole, or add files to it."}};
  properties["partition_by"] = {
      {"type", "array"},
      {"items", {{"type", "string"}}},
      {"description", "Columns that become folders (uf=SP/) instead of columns of the files."}};
  properties["target_file_bytes"] = {
      {"type", "integer"},
      {"minimum", 1},
      {"default", int64_t{512} << 20},
      {"description", "A file is ended after about this many bytes, and the next one begun."}};
  return properties;
}

Json SpecSchema(const std::string& kind, const std::string& title, Json properties) {
  return {{"type", "object"},
          {"title", title},
          {"properties", std::move(properties)},
          {"required", {kind}},
          {"additionalProperties", false}};
}

Result<DatasetOptions> ReadDatasetOptions(const Json& spec, const Json& schema, const std::string& kind,
                                          const std::string& extension, const arrow::Schema& columns,
                                          const frame::FormatContext& context, Diagnostics& errors) {
  size_t faults = errors.size();
  if (spec.is_object() && spec.contains("mode") && spec["mode"] == "replace_where") {
    errors.Add({.message = fmt::format("mode replace_where needs a table with a log of its changes, {} has none", kind),
                .pointer = "/mode",
                .help = "use mode: overwrite with the whole dataset"});
    return errors.ToStatus();
  }
  CheckShape(spec, schema, schema, "", errors);
  if (errors.size() > faults) return errors.ToStatus();
  DatasetOptions options;
  options.shown = spec[kind].get<std::string>();
  options.target = storage::ResolvePath(context.base_dir, options.shown);
  std::string mode = spec.value("mode", "error");
  if (mode == "overwrite") options.mode = storage::PublishMode::kOverwrite;
  if (mode == "append") options.mode = storage::PublishMode::kAppend;
  if (spec.contains("partition_by")) options.partition_by = spec["partition_by"].get<std::vector<std::string>>();
  options.target_file_bytes = spec.value("target_file_bytes", options.target_file_bytes);
  CheckPartitions(options.partition_by, columns, errors);
  if (options.target.ends_with(extension)) CheckSingleFile(options, extension, errors);
  if (columns.num_fields() == 0) errors.Add("", "the frame has no columns to write");
  if (auto store = storage::StoreFor(options.target); !store.ok()) {
    errors.Add({.message = store.status().message(), .pointer = PointerJoin("", kind), .help = store.status().help()});
  }
  if (errors.size() > faults) return errors.ToStatus();
  return options;
}

}  // namespace mutirao::formats
