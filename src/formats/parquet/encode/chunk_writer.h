#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>

#include "columnar/type.h"
#include "formats/parquet/encode/column_values.h"
#include "formats/parquet/encode/file_metadata.h"
#include "formats/parquet/encode/levels.h"
#include "formats/parquet/encode/page_compressor.h"

namespace mutirao::formats::parquet_encode {

/// What earlier chunks of a column of a file taught.
struct ColumnHistory {
  DictionaryHistory dictionary;
  RepeatHistory repeats;  ///< of data pages of `encoding`
  Encoding encoding = Encoding::kPlain;
};

/// Write column chunks, one after the other: dictionary page and data pages.
/// Threads: one at a time.
class ChunkWriter {
 public:
  using WriteBytes = std::function<Status(std::string_view)>;

  ChunkWriter(const EncodeOptions& options, std::unique_ptr<PageCompressor> compressor)
      : options_(options), compressor_(std::move(compressor)) {}

  /// Encode column `leaf` of `batches` and hand the bytes to `write`; they begin at `position` of the file. `history`
  /// is that of the column.
  Result<ChunkFacts> Write(const Leaf& leaf, std::span<const BatchPtr> batches, int64_t position,
                           ColumnHistory* history, const WriteBytes& write);

 private:
  ColumnValues& ValuesFor(const Leaf& leaf);
  size_t PageEnd(const ColumnValues& values, size_t level, size_t value) const;
  Status WriteDataPages(const Leaf& leaf, ColumnValues& values, RepeatHistory* history, const WriteBytes& write,
                        ChunkFacts& facts);
  Result<size_t> WritePage(PageShape page, RepeatHistory* history, const WriteBytes& write, ChunkFacts& facts);

  const EncodeOptions& options_;
  std::unique_ptr<PageCompressor> compressor_;
  int64_t start_ = 0;
  Levels levels_;
  ByteBuffer page_;
  // One for each physical type, made when first needed; its memory serves all columns of that type.
  std::array<std::unique_ptr<ColumnValues>, 8> values_;
};

}  // namespace mutirao::formats::parquet_encode
