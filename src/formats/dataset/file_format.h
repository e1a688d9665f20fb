#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "columnar/type.h"
#include "storage/file_output.h"

namespace mutirao::formats {

/// One file being encoded. Threads: one at a time. Destroyed without Close() it leaves nothing that is kept.
class FileEncoder {
 public:
  virtual ~FileEncoder() = default;
  /// Encode batches of the file's schema as one group (row group, record batch, block of lines).
  virtual Status WriteGroup(const std::vector<BatchPtr>& batches) = 0;
  /// Write what ends the file. Called once; `rows` is the number of rows written.
  virtual Status Close(int64_t rows) = 0;
};

/// How a format puts rows into files; what differs between the sinks that write folders of files.
/// Ownership: shared, immutable. Threads: any.
class FileFormat {
 public:
  virtual ~FileFormat() = default;
  /// With its dot: ".parquet".
  virtual std::string extension() const = 0;
  /// Rows handed to one WriteGroup.
  virtual int64_t group_rows() const = 0;
  /// Begin a file. `metadata` is told to readers where the format can.
  virtual Result<std::unique_ptr<FileEncoder>> Open(std::shared_ptr<storage::FileOutput> output,
                                                    const SchemaPtr& schema, const Json& metadata) const = 0;
  /// Count the rows of a finished file from the file itself; -1 when the format cannot tell without reading it all.
  virtual Result<int64_t> CountRows(const std::string& path) const = 0;
};

}  // namespace mutirao::formats
