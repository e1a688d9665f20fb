#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <parquet/column_page.h>
#include <parquet/column_reader.h>

#include "formats/parquet/decode/value_decoder.h"

namespace mutirao::formats::parquet_decode {

/// Read one flat column of a row group from its first row to its last, all rows of a step or some of them.
///
/// Threads: one at a time. Exceptions of Arrow's page reader and decoders pass through.
class ColumnReader {
 public:
  /// `rows`: of the row group.
  ColumnReader(const parquet::ColumnDescriptor& column, int64_t rows, std::unique_ptr<ValueDecoder> values,
               std::unique_ptr<parquet::PageReader> pages);

  /// Read the next `count` rows; with a selection only those at its places, which ascend and are below `count`.
  /// Pages without any of them are not unpacked. Errors: kInvalid for damage, and when there are fewer rows.
  Result<ArrayPtr> Read(int64_t count, const std::vector<uint32_t>* selection);

 private:
  // The rows wanted of a step that are still to come; places count from the step's first row.
  struct Wanted {
    const std::vector<uint32_t>* selection;
    size_t next = 0;
  };

  Status NextPage(int64_t step_at, int64_t step_left, const Wanted& wanted);
  Status OpenPage(const parquet::DataPage& page);
  Status ReadLevels(const parquet::DataPage& page, std::span<const uint8_t>* bytes);
  Status SetLevels(std::span<const uint8_t> bytes, int64_t rows);
  Status TakeRows(size_t count, int64_t step_at, Wanted* wanted);

  const int16_t max_definition_;
  std::unique_ptr<ValueDecoder> values_;
  std::unique_ptr<parquet::PageReader> pages_;
  int64_t rows_left_;  // in pages that are still to come

  // Of the page; it keeps the bytes.
  std::shared_ptr<parquet::Page> page_;
  int64_t page_left_ = 0;     // rows
  int64_t skipped_rows_ = 0;  // of pages that were not unpacked
  bool has_levels_ = false;   // some row of the page is null
  std::vector<uint32_t> levels_;
  size_t level_at_ = 0;
  std::vector<uint32_t> picks_;
  // What the next page is asked against when it is about to be unpacked.
  std::function<bool(int64_t rows)> skips_;
};

}  // namespace mutirao::formats::parquet_decode
