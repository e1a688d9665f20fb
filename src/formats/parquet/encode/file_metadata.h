#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "formats/parquet/encode/bounds.h"
#include "formats/parquet/encode/column_values.h"
#include "formats/parquet/encode/leaf.h"
#include "formats/parquet/encode/options.h"

namespace mutirao::formats::parquet_encode {

/// What the footer and the page index say about one data page.
struct PageFacts {
  int64_t offset = 0;
  int32_t stored_bytes = 0;  ///< with its header
  int64_t first_row = 0;     ///< within the row group
  int64_t nulls = 0;
  bool only_nulls = false;
  Bounds bounds;
};

/// What the footer says about one column of one row group.
struct ChunkFacts {
  Encoding encoding = Encoding::kPlain;
  int64_t levels = 0;
  int64_t nulls = 0;
  int64_t plain_bytes = 0;   ///< before compression, headers included
  int64_t stored_bytes = 0;  ///< headers included
  int64_t dictionary_offset = -1;
  Bounds bounds;
  std::vector<PageFacts> pages;
  // Set when the page index is written.
  int64_t column_index_offset = -1;
  int32_t column_index_bytes = 0;
  int64_t offset_index_offset = -1;
  int32_t offset_index_bytes = 0;

  int64_t first_offset() const { return dictionary_offset >= 0 ? dictionary_offset : pages.front().offset; }
};

struct RowGroupFacts {
  int64_t rows = 0;
  std::vector<ChunkFacts> columns;
};

struct PageShape {
  bool is_dictionary = false;
  bool has_texts = false;  ///< most of it are bytes of texts
  size_t values = 0;  ///< levels of a data page, entries of a dictionary
  Encoding encoding = Encoding::kPlain;
  size_t plain_bytes = 0;
  size_t stored_bytes = 0;
};

std::string PageHeader(const PageShape& page, const uint32_t* crc);

/// Empty for a chunk that has pages without bounds that are not all null: the format cannot say that.
std::string ColumnIndex(const Leaf& leaf, const ChunkFacts& chunk, size_t bound_bytes);
std::string OffsetIndex(const ChunkFacts& chunk);

using KeyValues = std::vector<std::pair<std::string, std::string>>;

std::string Footer(const arrow::Schema& schema, const std::vector<Leaf>& leaves,
                   const std::vector<RowGroupFacts>& row_groups, const KeyValues& key_values,
                   const EncodeOptions& options);

}  // namespace mutirao::formats::parquet_encode
