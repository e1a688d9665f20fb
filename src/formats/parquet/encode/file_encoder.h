#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/io/type_fwd.h>

#include "columnar/type.h"
#include "formats/parquet/encode/chunk_writer.h"
#include "formats/parquet/encode/file_metadata.h"
#include "formats/parquet/encode/options.h"

namespace mutirao::formats::parquet_encode {

struct FileSummary {
  int64_t rows = 0;
  int64_t bytes = 0;
};

/// Write one Parquet file: levels, encodings, compression, statistics, page index and footer.
///
/// What is written and why: docs/formats/parquet.md.
///
/// Threads: one at a time. Memory: the values of one column of one row group at a time, beside the batches.
/// Errors: sticky; after the first every call gives it again, and the file is not whole.
class FileEncoder {
 public:
  /// `out` must outlive the encoder, which does not close it.
  /// Errors: kUnsupported for a schema of other than plan types; kInvalid for a level that the codec does not have.
  static Result<std::unique_ptr<FileEncoder>> Make(arrow::io::OutputStream* out, SchemaPtr schema,
                                                   EncodeOptions options = {});
  ~FileEncoder();

  /// Write batches of the file's schema as one row group; nothing when they hold no rows.
  /// Errors: kInvalid for columns of other types and for nulls where the schema has none; those of `out`.
  Status WriteRowGroup(std::span<const BatchPtr> batches);

  /// Write what ends the file. `key_values` are told to readers, beside Arrow's schema. Called once, last.
  Result<FileSummary> Close(const KeyValues& key_values);

 private:
  FileEncoder(arrow::io::OutputStream* out, SchemaPtr schema, std::vector<Leaf> leaves, EncodeOptions options);
  Status TryWriteRowGroup(std::span<const BatchPtr> batches, int64_t rows);
  Result<FileSummary> TryClose(const KeyValues& key_values);
  Status WritePageIndex();
  Status Write(std::string_view bytes);
  Status CheckBatch(const arrow::RecordBatch& batch) const;

  // Constant after construction.
  arrow::io::OutputStream* out_;
  SchemaPtr schema_;
  std::vector<Leaf> leaves_;
  EncodeOptions options_;

  // Used by one thread.
  std::unique_ptr<ChunkWriter> chunks_;
  std::vector<ColumnHistory> histories_;  // one a leaf
  std::vector<RowGroupFacts> row_groups_;
  int64_t position_ = 0;
  int64_t rows_ = 0;
  Status failed_;
};

}  // namespace mutirao::formats::parquet_encode
