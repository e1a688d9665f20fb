#include "formats/dataset/dataset_sink.h"

#include <filesystem>

#include <fmt/format.h>

#include "formats/dataset/dataset_writer.h"
#include "storage/durable.h"
#include "storage/local_path.h"

namespace mutirao::formats {
namespace {

namespace fs = std::filesystem;

// What may stand in a folder that is replaced: files of the format, hidden ones, and reports beside the parts.
bool BelongsToDataset(const fs::path& path, const std::string& extension) {
  std::string name = path.filename().string();
  return name.starts_with('.') || name.starts_with('_') || name.ends_with(extension) || name.ends_with(".json");
}

// Empty parts say nothing when another has rows; of nothing but empty ones, one keeps the schema.
std::vector<frame::PartInfo> WithoutEmpty(const std::vector<frame::PartInfo>& parts) {
  std::vector<frame::PartInfo> kept;
  for (const auto& part : parts) {
    if (part.rows > 0) kept.push_back(part);
  }
  if (kept.empty() && !parts.empty()) kept.push_back(parts.front());
  return kept;
}

}  // namespace

DatasetSink::DatasetSink(std::string kind, SchemaPtr schema, Json spec, DatasetOptions options,
                         std::shared_ptr<const FileFormat> format)
    : kind_(std::move(kind)),
      schema_(std::move(schema)),
      spec_(std::move(spec)),
      options_(std::move(options)),
      format_(std::move(format)),
      single_file_(options_.target.ends_with(format_->extension())) {
  spec_[kind_] = options_.target;
}

std::string DatasetSink::Describe() const {
  std::string text = fmt::format("{} {}", kind_, options_.shown);
  if (!options_.partition_by.empty()) text += fmt::format(" by {}", fmt::join(options_.partition_by, ", "));
  return text;
}

Status DatasetSink::CheckOverwrite() const {
  auto path = MUTIRAO_TRY(storage::LocalPath(options_.target));
  std::error_code error;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    if (at->is_directory(error) || BelongsToDataset(at->path(), format_->extension())) continue;
    return Status::Invalid(fmt::format("{} has files that are no part of a {} dataset: {}", options_.shown, kind_,
                                       at->path().string()))
        .Help("overwriting would delete them; move them away or write to another folder");
  }
  return Status::Ok();
}

Status DatasetSink::CheckTarget() const {
  auto path = MUTIRAO_TRY(storage::LocalPath(options_.target));
  std::error_code error;
  fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return Status::Ok();
  if (options_.mode == storage::PublishMode::kError && !(fs::is_directory(status) && fs::is_empty(path, error))) {
    return Status::AlreadyExists(fmt::format("the output {} exists", options_.shown))
        .Help("use mode: overwrite or append, or another path");
  }
  if (single_file_ && fs::is_directory(status)) {
    return Status::Invalid(fmt::format("{} is a folder, and one file is to be written there", options_.shown))
        .Help(fmt::format("a name without {} is written as a folder", format_->extension()));
  }
  if (!single_file_ && !fs::is_directory(status)) {
    return Status::Invalid(fmt::format("{} is a file, and a folder is to be written there", options_.shown))
        .Help(fmt::format("a name that ends in {} is written as one file", format_->extension()));
  }
  if (options_.mode == storage::PublishMode::kOverwrite && !single_file_) return CheckOverwrite();
  return Status::Ok();
}

Result<std::string> DatasetSink::Begin(const std::string& run_id) const {
  MUTIRAO_TRY(CheckTarget());
  return storage::BeginStaging(options_.target, options_.mode, run_id);
}

Result<std::unique_ptr<frame::SinkWriter>> DatasetSink::Open(const frame::SinkContext& context) const {
  return std::unique_ptr<frame::SinkWriter>(std::make_unique<DatasetWriter>(
      schema_, options_.partition_by, options_.target_file_bytes, single_file_, format_, context));
}

Status DatasetSink::Verify(const std::string& staging, const std::vector<frame::PartInfo>& parts) const {
  if (parts.empty()) return Status::Internal("nothing was written for " + options_.shown);
  std::vector<frame::PartInfo> kept = WithoutEmpty(parts);
  if (single_file_ && kept.size() > 1) {
    return Status::Unsupported(
               fmt::format("{} would be one file, and {} tasks wrote parts of it", options_.shown, kept.size()))
        .Help("name a folder as the output");
  }
  for (const frame::PartInfo& part : kept) {
    std::string path = staging + "/" + part.path;
    auto rows = MUTIRAO_TRY(format_->CountRows(path).Context("checking " + path));
    if (rows >= 0 && rows != part.rows) {
      return Status::Io(fmt::format("{} has {} rows where {} were written", path, rows, part.rows));
    }
  }
  MUTIRAO_TRY(CheckTarget());
  return storage::SyncTree(staging);
}

Status DatasetSink::Publish(const std::string& staging, const std::vector<frame::PartInfo>& parts) const {
  std::vector<std::string> files;
  for (const frame::PartInfo& part : WithoutEmpty(parts)) files.push_back(part.path);
  if (!single_file_) return storage::PublishFolder(staging, options_.target, options_.mode, files);
  return storage::PublishFile(staging + "/" + files.at(0), options_.target, options_.mode);
}

}  // namespace mutirao::formats
