#include "formats/parquet/encode/file_encoder.h"

#include <algorithm>

#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/base64.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "formats/parquet/encode/chunk_writer.h"

namespace mutirao::formats::parquet_encode {
namespace {

constexpr std::string_view kMagic = "PAR1";

}  // namespace

FileEncoder::FileEncoder(arrow::io::OutputStream* out, SchemaPtr schema, std::vector<Leaf> leaves,
                         EncodeOptions options)
    : out_(out),
      schema_(std::move(schema)),
      leaves_(std::move(leaves)),
      options_(std::move(options)),
      histories_(leaves_.size()) {}

FileEncoder::~FileEncoder() = default;

Result<std::unique_ptr<FileEncoder>> FileEncoder::Make(arrow::io::OutputStream* out, SchemaPtr schema,
                                                       EncodeOptions options) {
  auto leaves = MUTIRAO_TRY(LeavesOf(*schema));
  auto compressor = MUTIRAO_TRY(PageCompressor::Make(options.codec, options.level));
  options.page_rows = std::max<size_t>(1, options.page_rows);
  std::unique_ptr<FileEncoder> made(new FileEncoder(out, std::move(schema), std::move(leaves), std::move(options)));
  made->chunks_ = std::make_unique<ChunkWriter>(made->options_, std::move(compressor));
  MUTIRAO_TRY(made->Write(kMagic));
  return made;
}

Status FileEncoder::Write(std::string_view bytes) {
  MUTIRAO_TRY(out_->Write(bytes.data(), static_cast<int64_t>(bytes.size())));
  position_ += static_cast<int64_t>(bytes.size());
  return Status::Ok();
}

Status FileEncoder::CheckBatch(const arrow::RecordBatch& batch) const {
  if (batch.num_columns() != schema_->num_fields()) {
    return Status::Invalid(
        fmt::format("a batch of {} columns in a parquet file of {}", batch.num_columns(), schema_->num_fields()));
  }
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto& field = *schema_->field(i);
    const auto& type = *batch.column_data(i)->type;
    if (!type.Equals(*field.type())) {
      return Status::Invalid(fmt::format("column {} comes as {}, its parquet file has {}", field.name(), TypeName(type),
                                         TypeName(*field.type())));
    }
  }
  return Status::Ok();
}

Status FileEncoder::WriteRowGroup(std::span<const BatchPtr> batches) {
  int64_t rows = 0;
  for (const auto& batch : batches) rows += batch->num_rows();
  if (failed_.ok() && rows > 0) failed_ = TryWriteRowGroup(batches, rows);
  return failed_;
}

Status FileEncoder::TryWriteRowGroup(std::span<const BatchPtr> batches, int64_t rows) {
  for (const auto& batch : batches) MUTIRAO_TRY(CheckBatch(*batch));
  RowGroupFacts group;
  group.rows = rows;
  auto write = [this](std::string_view bytes) { return Write(bytes); };
  for (size_t i = 0; i < leaves_.size(); ++i) {
    auto column = MUTIRAO_TRY(chunks_->Write(leaves_[i], batches, position_, &histories_[i], write));
    group.columns.push_back(std::move(column));
  }
  row_groups_.push_back(std::move(group));
  rows_ += rows;
  return Status::Ok();
}

Status FileEncoder::WritePageIndex() {
  for (auto& group : row_groups_) {
    for (size_t i = 0; i < leaves_.size(); ++i) {
      std::string index = ColumnIndex(leaves_[i], group.columns[i], options_.bound_bytes);
      if (index.empty()) continue;
      group.columns[i].column_index_offset = position_;
      group.columns[i].column_index_bytes = static_cast<int32_t>(index.size());
      MUTIRAO_TRY(Write(index));
    }
  }
  for (auto& group : row_groups_) {
    for (auto& chunk : group.columns) {
      std::string index = OffsetIndex(chunk);
      chunk.offset_index_offset = position_;
      chunk.offset_index_bytes = static_cast<int32_t>(index.size());
      MUTIRAO_TRY(Write(index));
    }
  }
  return Status::Ok();
}

Result<FileSummary> FileEncoder::TryClose(const KeyValues& key_values) {
  if (options_.write_page_index) MUTIRAO_TRY(WritePageIndex());
  // Arrow's own schema, so that its readers give the same types that were written.
  auto message = MUTIRAO_TRY(arrow::ipc::SerializeSchema(*schema_));
  KeyValues all = key_values;
  all.emplace_back("ARROW:schema", arrow::util::base64_encode(std::string_view(*message)));
  std::string footer = Footer(*schema_, leaves_, row_groups_, all, options_);
  auto length = static_cast<uint32_t>(footer.size());
  footer.append(reinterpret_cast<const char*>(&length), sizeof length);
  footer.append(kMagic);
  MUTIRAO_TRY(Write(footer));
  return FileSummary{rows_, position_};
}

Result<FileSummary> FileEncoder::Close(const KeyValues& key_values) {
  if (!failed_.ok()) return failed_;
  auto summary = TryClose(key_values);
  failed_ = summary.ok() ? Status::Internal("the parquet file is closed already") : summary.status();
  return summary;
}

}  // namespace mutirao::formats::parquet_encode
