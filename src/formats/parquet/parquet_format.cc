#include "formats/parquet/parquet_format.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include "columnar/arrow_status.h"

namespace mutirao::formats {
namespace {

// Keeps the code and help of a failed write, which are lost on the way through Arrow.
Status Told(const storage::FileOutput& output, const arrow::Status& status) {
  if (!output.failed().ok()) return output.failed();
  return FromArrow(status).Context("writing " + output.path());
}

class ParquetEncoder : public FileEncoder {
 public:
  ParquetEncoder(std::shared_ptr<storage::FileOutput> output, SchemaPtr schema,
                 std::unique_ptr<parquet::arrow::FileWriter> writer, Json metadata)
      : output_(std::move(output)),
        schema_(std::move(schema)),
        writer_(std::move(writer)),
        metadata_(std::move(metadata)) {}

  ~ParquetEncoder() override {
    // The Parquet writer's destructor would end the file as if it were whole.
    if (!closed_) (void)output_->Abort();
  }

  Status WriteGroup(const std::vector<BatchPtr>& batches) override {
    auto table = MUTIRAO_TRY(arrow::Table::FromRecordBatches(schema_, batches));
    auto written = writer_->WriteTable(*table, std::max<int64_t>(table->num_rows(), 1));
    return written.ok() ? Status::Ok() : Told(*output_, written);
  }

  Status Close(int64_t rows) override {
    Json metadata = metadata_.is_object() ? metadata_ : Json::object();
    metadata["rows"] = rows;
    auto pairs =
        arrow::key_value_metadata({"mutirao"}, {metadata.dump(-1, ' ', false, Json::error_handler_t::replace)});
    auto status = writer_->AddKeyValueMetadata(pairs);
    if (status.ok()) status = writer_->Close();
    if (!status.ok()) return Told(*output_, status);
    closed_ = true;
    return Status::Ok();
  }

 private:
  std::shared_ptr<storage::FileOutput> output_;
  SchemaPtr schema_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  Json metadata_;
  bool closed_ = false;
};

class ParquetFormat : public FileFormat {
 public:
  ParquetFormat(std::shared_ptr<parquet::WriterProperties> properties, int64_t group_rows)
      : properties_(std::move(properties)), group_rows_(group_rows) {}

  std::string extension() const override { return ".parquet"; }
  int64_t group_rows() const override { return group_rows_; }

  Result<std::unique_ptr<FileEncoder>> Open(std::shared_ptr<storage::FileOutput> output, const SchemaPtr& schema,
                                            const Json& metadata) const override {
    auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    auto writer = parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), output, properties_,
                                                   std::move(arrow_properties));
    if (!writer.ok()) return Told(*output, writer.status());
    return std::unique_ptr<FileEncoder>(
        std::make_unique<ParquetEncoder>(std::move(output), schema, std::move(*writer), metadata));
  }

  Result<int64_t> CountRows(const std::string& path) const override {
    try {
      auto file = MUTIRAO_TRY(arrow::io::ReadableFile::Open(path));
      return parquet::ParquetFileReader::Open(file)->metadata()->num_rows();
    } catch (const std::exception& error) {
      return Status::Io(path + " is not whole: " + error.what());
    }
  }

 private:
  std::shared_ptr<parquet::WriterProperties> properties_;
  int64_t group_rows_;
};

Result<parquet::Compression::type> CodecOf(const std::string& name) {
  if (name == "zstd") return parquet::Compression::ZSTD;
  if (name == "snappy") return parquet::Compression::SNAPPY;
  if (name == "gzip") return parquet::Compression::GZIP;
  if (name == "lz4") return parquet::Compression::LZ4;
  if (name == "none") return parquet::Compression::UNCOMPRESSED;
  return Status::Invalid("\"" + name + "\" is not a compression").Help("zstd, snappy, gzip, lz4 or none");
}

}  // namespace

Result<std::shared_ptr<const FileFormat>> MakeParquetFormat(const ParquetWriteOptions& options) {
  auto codec = MUTIRAO_TRY(CodecOf(options.compression));
  parquet::WriterProperties::Builder builder;
  builder.version(parquet::ParquetVersion::PARQUET_2_6)
      ->compression(codec)
      ->max_row_group_length(options.row_group_rows)
      ->created_by("mutirao")
      ->enable_write_page_index()
      ->enable_store_decimal_as_integer();
  bool has_levels = codec == parquet::Compression::ZSTD || codec == parquet::Compression::GZIP;
  if (has_levels && options.compression_level != 0) builder.compression_level(options.compression_level);
  return std::shared_ptr<const FileFormat>(std::make_shared<ParquetFormat>(builder.build(), options.row_group_rows));
}

}  // namespace mutirao::formats
