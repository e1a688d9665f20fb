#include "formats/dataset/file_source.h"

#include <algorithm>

#include <arrow/api.h>
#include <fmt/format.h>

#include "base/shape.h"
#include "formats/dataset/file_scan.h"
#include "frame/plan/plan_json.h"
#include "storage/storage.h"

namespace mutirao::formats {

Json SourceFile::ToJson() const {
  Json values = Json::object();
  for (const PartitionValue& partition : partitions) {
    values[partition.column] = partition.value ? Json(*partition.value) : Json();
  }
  return {{"uri", uri}, {"size", size}, {"partitions", std::move(values)}};
}

Result<SourceFile> SourceFile::FromJson(const Json& json) {
  if (!json.is_object() || !json.contains("uri") || !json["uri"].is_string()) {
    return Status::Invalid("a file of a source needs a text \"uri\"");
  }
  SourceFile file{.uri = json["uri"].get<std::string>()};
  if (json.contains("size") && json["size"].is_number_integer()) file.size = json["size"].get<int64_t>();
  if (!json.contains("partitions")) return file;
  for (const auto& [column, value] : json["partitions"].items()) {
    PartitionValue partition{.column = column, .value = std::nullopt};
    if (value.is_string()) partition.value = value.get<std::string>();
    file.partitions.push_back(std::move(partition));
  }
  return file;
}

FileSource::FileSource(std::string kind, Json paths, std::vector<SourceFile> files, SchemaPtr schema, Extent extent,
                       std::shared_ptr<const ReadFormat> format)
    : kind_(std::move(kind)),
      paths_(std::move(paths)),
      files_(std::move(files)),
      schema_(std::move(schema)),
      extent_(std::move(extent)),
      format_(std::move(format)) {}

Json FileSource::ToJson() const {
  Json files = Json::array();
  for (const SourceFile& file : files_) files.push_back(file.ToJson());
  Json json = Json::object();
  json[kind_] = paths_;
  json["schema"] = frame::SchemaToJson(*schema_);
  json["rows"] = extent_.rows;
  if (!extent_.column_bytes.empty()) json["column_bytes"] = extent_.column_bytes;
  json["files"] = std::move(files);
  return json;
}

std::string FileSource::Describe() const {
  std::vector<std::string> paths;
  if (paths_.is_string()) paths.push_back(paths_.get<std::string>());
  if (paths_.is_array()) paths = paths_.get<std::vector<std::string>>();
  return fmt::format("{} {} ({} file{})", kind_, fmt::join(paths, ", "), files_.size(), files_.size() == 1 ? "" : "s");
}

std::vector<std::string> FileSource::Files() const {
  std::vector<std::string> files;
  for (const SourceFile& file : files_) files.push_back(file.uri);
  return files;
}

int64_t FileSource::TotalBytes() const {
  int64_t bytes = 0;
  for (const SourceFile& file : files_) bytes += file.size;
  return bytes;
}

// Of the first file's columns; the others are taken to be like it.
double FileSource::ShareOfBytes(const std::vector<std::string>& columns) const {
  double all = 0;
  double wanted = 0;
  for (size_t i = 0; i < extent_.column_bytes.size(); ++i) {
    const auto bytes = static_cast<double>(extent_.column_bytes[i]);
    all += bytes;
    if (std::ranges::find(columns, schema_->field(static_cast<int>(i))->name()) != columns.end()) wanted += bytes;
  }
  return all > 0 ? wanted / all : 1;
}

int64_t FileSource::BytesToRead(const std::vector<std::string>& columns) const {
  return static_cast<int64_t>(ShareOfBytes(columns) * static_cast<double>(TotalBytes()));
}

// Pages are unpacked whole, also those of rows that nobody wants.
double FileSource::ReadingCost(const std::vector<std::string>& columns, double) const {
  return Source::ReadingCost(columns, static_cast<double>(extent_.rows));
}

Result<std::unique_ptr<GroupReader>> OpenGroups(const ReadFormat& format, const std::string& uri,
                                                storage::Reading reading) {
  auto store = MUTIRAO_TRY(storage::StoreFor(uri));
  auto object = MUTIRAO_TRY(store->Open(uri, reading));
  return format.Open(std::make_shared<storage::ObjectFile>(std::move(object))).Context("reading " + uri);
}

Result<std::vector<frame::Split>> FileSource::Splits(int64_t target_bytes) const {
  std::vector<frame::Split> splits;
  for (const SourceFile& file : files_) {
    auto reader = MUTIRAO_TRY(OpenGroups(*format_, file.uri));
    const std::vector<GroupFacts>& groups = reader->groups();
    for (size_t first = 0; first < groups.size();) {
      frame::Split split{.description = file.ToJson(), .bytes = 0, .rows = 0};
      size_t end = first;
      for (; end < groups.size() && (end == first || split.bytes + groups[end].bytes <= target_bytes); ++end) {
        split.bytes += std::max<int64_t>(groups[end].bytes, 0);
        split.rows = split.rows < 0 || groups[end].rows < 0 ? -1 : split.rows + groups[end].rows;
      }
      split.description["first"] = first;
      split.description["count"] = end - first;
      splits.push_back(std::move(split));
      first = end;
    }
  }
  return splits;
}

Result<std::unique_ptr<frame::Scan>> FileSource::Open(const frame::ScanRequest& request,
                                                      const frame::ScanContext& context) const {
  std::vector<frame::Split> splits = request.splits;
  if (splits.empty()) splits = MUTIRAO_TRY(Splits(INT64_MAX / 2));
  return OpenFileScan(splits, *this, format_, request, context);
}

}  // namespace mutirao::formats
