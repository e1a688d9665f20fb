#pragma once

#include <memory>
#include <string>

#include <arrow/util/type_fwd.h>

#include "formats/dataset/file_format.h"

namespace mutirao::formats {

struct ParquetWriteOptions {
  /// One of zstd, snappy, gzip, lz4, none.
  std::string compression = "zstd";
  /// Of zstd and gzip; 0 leaves the choice to the codec. zstd 1 is within 5 % of the size of 3 at two thirds of the
  /// time.
  int compression_level = 1;
  int64_t row_group_rows = 122880;
};

/// Files of our own encoder (docs/formats/parquet.md): statistics for every column chunk, page index, encodings chosen
/// by looking at the values, Arrow's schema and our metadata (JSON under the key "mutirao") in the footer.
/// Errors: kInvalid for a compression of another name.
Result<std::shared_ptr<const FileFormat>> MakeParquetFormat(const ParquetWriteOptions& options);

}  // namespace mutirao::formats
