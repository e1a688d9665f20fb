#include "formats/parquet/parquet_reader.h"

#include <algorithm>

#include <arrow/api.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include "columnar/arrow_status.h"
#include "formats/parquet/decode/group_columns.h"

namespace mutirao::formats {
namespace {

void AddLeaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.column_index >= 0) leaves.push_back(field.column_index);
  for (const auto& child : field.children) AddLeaves(child, leaves);
}

// A row group whose batches keep the open file alive through `file`.
class GroupBatches : public arrow::RecordBatchReader {
 public:
  GroupBatches(SchemaPtr schema, std::unique_ptr<arrow::RecordBatchReader> inner, int64_t rows)
      : schema_(std::move(schema)), inner_(std::move(inner)), missing_(rows) {}
  SchemaPtr schema() const override { return schema_; }
  arrow::Status ReadNext(BatchPtr* out) override {
    ARROW_RETURN_NOT_OK(inner_->ReadNext(out));
    if (*out) missing_ -= (*out)->num_rows();
    if (!*out && missing_ != 0) {
      return arrow::Status::Invalid("a row group has ", -missing_, " rows more than the footer says");
    }
    return arrow::Status::OK();
  }

 private:
  SchemaPtr schema_;
  std::unique_ptr<arrow::RecordBatchReader> inner_;
  int64_t missing_;
};

// Rows without any column: only their number is of interest.
class EmptyColumns : public arrow::RecordBatchReader {
 public:
  EmptyColumns(int64_t rows, int64_t batch_rows) : rows_(rows), batch_rows_(batch_rows) {}
  SchemaPtr schema() const override { return arrow::schema({}); }
  arrow::Status ReadNext(BatchPtr* out) override {
    int64_t rows = std::min(rows_, batch_rows_);
    rows_ -= rows;
    *out = rows == 0 ? nullptr : arrow::RecordBatch::Make(schema(), rows, std::vector<ArrayPtr>{});
    return arrow::Status::OK();
  }

 private:
  int64_t rows_;
  int64_t batch_rows_;
};

class ParquetGroups : public GroupReader {
 public:
  explicit ParquetGroups(std::unique_ptr<parquet::arrow::FileReader> reader) : reader_(std::move(reader)) {}

  Status Inspect() {
    MUTIRAO_TRY(reader_->GetSchema(&schema_));
    auto metadata = reader_->parquet_reader()->metadata();
    for (int i = 0; i < metadata->num_row_groups(); ++i) {
      auto group = metadata->RowGroup(i);
      if (group->num_rows() < 0) return Status::Invalid("a row group has a negative number of rows");
      groups_.push_back({.rows = group->num_rows(), .bytes = group->total_compressed_size()});
      if (groups_.back().bytes <= 0) groups_.back().bytes = group->total_byte_size();
    }
    return Status::Ok();
  }

  const SchemaPtr& schema() const override { return schema_; }
  const std::vector<GroupFacts>& groups() const override { return groups_; }

  Result<std::unique_ptr<arrow::RecordBatchReader>> Read(int group, const std::vector<std::string>& columns,
                                                         int64_t batch_rows) override {
    if (columns.empty()) {
      return std::unique_ptr<arrow::RecordBatchReader>(std::make_unique<EmptyColumns>(groups_[group].rows, batch_rows));
    }
    const std::vector<int> leaves = LeavesOf(columns);
    reader_->set_batch_size(batch_rows);
    try {
      auto batches = MUTIRAO_TRY(reader_->GetRecordBatchReader({group}, leaves));
      SchemaPtr schema = batches->schema();
      return std::unique_ptr<arrow::RecordBatchReader>(
          std::make_unique<GroupBatches>(std::move(schema), std::move(batches), groups_[group].rows));
    } catch (const std::exception& error) {
      return Status::Invalid(error.what());
    }
  }

  Result<std::unique_ptr<GroupColumns>> OpenColumns(int group, const std::vector<std::string>& columns) override {
    return parquet_decode::OpenGroupColumns(*reader_, *schema_, group, columns);
  }

  // What a footer says of sizes is believed within those of the group only.
  int64_t BytesOf(int group, const std::vector<std::string>& columns) const override {
    const std::vector<int> leaves = LeavesOf(columns);
    const int64_t most = std::max<int64_t>(groups_[static_cast<size_t>(group)].bytes, 0);
    try {
      const auto metadata = reader_->parquet_reader()->metadata()->RowGroup(group);
      int64_t bytes = 0;
      for (const int leaf : leaves) {
        bytes += std::clamp<int64_t>(metadata->ColumnChunk(leaf)->total_compressed_size(), 0, most - bytes);
      }
      return bytes;
    } catch (const std::exception&) {
      return most;
    }
  }

  ColumnRange RangeOf(int group, const std::string& column) override {
    ColumnRange range;
    int index = schema_->GetFieldIndex(column);
    if (index < 0) return range;
    const auto& field = reader_->manifest().schema_fields[index];
    if (field.column_index < 0) return range;
    try {
      auto chunk = reader_->parquet_reader()->metadata()->RowGroup(group)->ColumnChunk(field.column_index);
      auto statistics = chunk->statistics();
      if (!statistics) return range;
      range.rows = groups_[group].rows;
      if (statistics->HasNullCount()) range.nulls = statistics->null_count();
      if (!statistics->HasMinMax()) return range;
      // Of floats the statistics leave out NaN, and readers disagree on -0 and 0.
      if (arrow::is_floating(field.field->type()->id())) return range;
      if (!parquet::arrow::StatisticsAsScalars(*statistics, &range.min, &range.max).ok())
        range.min = range.max = nullptr;
    } catch (const std::exception&) {
      range = {};
    }
    return range;
  }

 private:
  std::vector<int> LeavesOf(const std::vector<std::string>& columns) const {
    std::vector<int> leaves;
    for (const std::string& column : columns) {
      AddLeaves(reader_->manifest().schema_fields[schema_->GetFieldIndex(column)], leaves);
    }
    return leaves;
  }

  std::unique_ptr<parquet::arrow::FileReader> reader_;
  SchemaPtr schema_;
  std::vector<GroupFacts> groups_;
};

class ParquetRead : public ReadFormat {
 public:
  Result<std::unique_ptr<GroupReader>> Open(std::shared_ptr<storage::ObjectFile> file) const override {
    try {
      parquet::ArrowReaderProperties properties;
      properties.set_use_threads(false);
      properties.set_pre_buffer(false);
      auto opened = MUTIRAO_TRY(parquet::arrow::FileReader::Make(arrow::default_memory_pool(),
                                                                 parquet::ParquetFileReader::Open(file), properties));
      auto groups = std::make_unique<ParquetGroups>(std::move(opened));
      MUTIRAO_TRY(groups->Inspect());
      return std::unique_ptr<GroupReader>(std::move(groups));
    } catch (const std::exception& error) {
      return Status::Invalid(error.what()).Help("the file is damaged or is no Parquet file");
    }
  }
};

}  // namespace

std::shared_ptr<const ReadFormat> ParquetReadFormat() {
  static const auto format = std::make_shared<const ParquetRead>();
  return format;
}

}  // namespace mutirao::formats
