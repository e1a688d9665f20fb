#pragma once

#include <memory>
#include <string>
#include <vector>

#include "formats/dataset/file_format.h"
#include "frame/format_registry.h"
#include "frame/sink.h"
#include "storage/publish.h"

namespace mutirao::formats {

/// Options that every sink of files has.
struct DatasetOptions {
  std::string target;  ///< as storage takes it
  std::string shown;   ///< as the user named it
  storage::PublishMode mode = storage::PublishMode::kError;
  std::vector<std::string> partition_by;
  /// A file is ended after about this many bytes.
  int64_t target_file_bytes = int64_t{512} << 20;
};

/// A sink of files of one format: one file when the target has the format's extension, a folder of parts otherwise.
class DatasetSink : public frame::Sink {
 public:
  /// `spec` is what ToJson gives: the complete options.
  DatasetSink(std::string kind, SchemaPtr schema, Json spec, DatasetOptions options,
              std::shared_ptr<const FileFormat> format);

  std::string kind() const override { return kind_; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override { return spec_; }
  std::string Describe() const override;
  std::string target() const override { return options_.shown; }
  Result<std::string> Begin(const std::string& run_id) const override;
  Result<std::unique_ptr<frame::SinkWriter>> Open(const frame::SinkContext& context) const override;
  Status Verify(const std::string& staging, const std::vector<frame::PartInfo>& parts) const override;
  Status Publish(const std::string& staging, const std::vector<frame::PartInfo>& parts) const override;
  void Discard(const std::string& staging) const override { storage::DiscardStaging(staging); }

  bool single_file() const { return single_file_; }

 private:
  Status CheckTarget() const;
  Status CheckOverwrite() const;

  std::string kind_;
  SchemaPtr schema_;
  Json spec_;
  DatasetOptions options_;
  std::shared_ptr<const FileFormat> format_;
  bool single_file_;
};

/// The properties "mode", "partition_by" and "target_file_bytes" of a sink's JSON Schema, and `kind` for the target.
Json DatasetProperties(const std::string& kind);

/// A whole JSON Schema around properties, no others allowed, `kind` required.
Json SpecSchema(const std::string& kind, const std::string& title, Json properties);

/// Check a spec against its JSON Schema and read the options of DatasetProperties. Faults go to `errors`.
Result<DatasetOptions> ReadDatasetOptions(const Json& spec, const Json& schema, const std::string& kind,
                                          const std::string& extension, const arrow::Schema& columns,
                                          const frame::FormatContext& context, Diagnostics& errors);

}  // namespace mutirao::formats
