#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "formats/dataset/partition_path.h"
#include "formats/dataset/read_format.h"
#include "frame/format_registry.h"
#include "frame/source.h"
#include "storage/storage.h"

namespace mutirao::formats {

/// One file of a source and the values that its path gives.
struct SourceFile {
  std::string uri;
  int64_t size = 0;
  std::vector<PartitionValue> partitions;

  Json ToJson() const;
  static Result<SourceFile> FromJson(const Json& json);
};

/// A source of files that all have the same columns; columns may stand in the path (uf=SP/) instead of in the file.
class FileSource : public frame::Source {
 public:
  /// What the first file says of its size: about how many rows all files have, -1 unknown, and the stored bytes of each
  /// column of the schema in that file, empty where the format does not tell.
  struct Extent {
    int64_t rows = -1;
    std::vector<int64_t> column_bytes;
  };

  FileSource(std::string kind, Json paths, std::vector<SourceFile> files, SchemaPtr schema, Extent extent,
             std::shared_ptr<const ReadFormat> format);

  std::string kind() const override { return kind_; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override;
  std::string Describe() const override;
  std::vector<std::string> Files() const override;
  bool CanPush(const frame::Expr&) const override { return true; }
  int64_t EstimatedRows() const override { return extent_.rows; }
  int64_t TotalBytes() const override;
  int64_t BytesToRead(const std::vector<std::string>& columns) const override;
  double ReadingCost(const std::vector<std::string>& columns, double rows) const override;
  Result<std::vector<frame::Split>> Splits(int64_t target_bytes) const override;
  Result<std::unique_ptr<frame::Scan>> Open(const frame::ScanRequest& request,
                                            const frame::ScanContext& context) const override;

 private:
  double ShareOfBytes(const std::vector<std::string>& columns) const;

  std::string kind_;
  Json paths_;
  std::vector<SourceFile> files_;
  SchemaPtr schema_;
  Extent extent_;
  std::shared_ptr<const ReadFormat> format_;
};

/// The JSON Schema of a read of this kind: paths, `columns`, `partitions`.
Json FileSourceSchema(const std::string& kind);

/// Make a source from a spec as users write it or as ToJson gave it: lists the files and looks into the first for the
/// columns. Faults go to `errors`.
Result<frame::SourcePtr> MakeFileSource(const std::string& kind, const Json& spec, const frame::FormatContext& context,
                                        std::shared_ptr<const ReadFormat> format, Diagnostics& errors);

/// Open one file for reading. Errors: with the file's name.
Result<std::unique_ptr<GroupReader>> OpenGroups(const ReadFormat& format, const std::string& uri,
                                                storage::Reading reading = {});

}  // namespace mutirao::formats
