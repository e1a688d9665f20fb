#include "formats/parquet/parquet_format.h"

#include <arrow/io/file.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include "columnar/arrow_status.h"
#include "formats/parquet/encode/file_encoder.h"

namespace mutirao::formats {
namespace {

// Keeps the code and help of a failed write, which are lost on the way through Arrow.
Status Told(const storage::FileOutput& output, const Status& status) {
  if (status.ok() || !output.failed().ok()) return output.failed();
  return status.Context("writing " + output.path());
}

class ParquetEncoder : public FileEncoder {
 public:
  ParquetEncoder(std::shared_ptr<storage::FileOutput> output, std::unique_ptr<parquet_encode::FileEncoder> encoder,
                 Json metadata)
      : output_(std::move(output)), encoder_(std::move(encoder)), metadata_(std::move(metadata)) {}

  Status WriteGroup(const std::vector<BatchPtr>& batches) override {
    return Told(*output_, encoder_->WriteRowGroup(batches));
  }

  Status Close(int64_t rows) override {
    Json metadata = metadata_.is_object() ? metadata_ : Json::object();
    metadata["rows"] = rows;
    auto closed = encoder_->Close({{"mutirao", metadata.dump(-1, ' ', false, Json::error_handler_t::replace)}});
    return Told(*output_, closed.status());
  }

 private:
  std::shared_ptr<storage::FileOutput> output_;
  std::unique_ptr<parquet_encode::FileEncoder> encoder_;
  Json metadata_;
};

class ParquetFormat : public FileFormat {
 public:
  ParquetFormat(parquet_encode::EncodeOptions options, int64_t group_rows)
      : options_(std::move(options)), group_rows_(group_rows) {}

  std::string extension() const override { return ".parquet"; }
  int64_t group_rows() const override { return group_rows_; }

  Result<std::unique_ptr<FileEncoder>> Open(std::shared_ptr<storage::FileOutput> output, const SchemaPtr& schema,
                                            const Json& metadata) const override {
    auto encoder = parquet_encode::FileEncoder::Make(output.get(), schema, options_);
    if (!encoder.ok()) return Told(*output, encoder.status());
    return std::unique_ptr<FileEncoder>(
        std::make_unique<ParquetEncoder>(std::move(output), std::move(encoder).value(), metadata));
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
  parquet_encode::EncodeOptions options_;
  int64_t group_rows_;
};

Result<parquet_encode::Codec> CodecOf(const std::string& name) {
  if (name == "zstd") return parquet_encode::Codec::kZstd;
  if (name == "snappy") return parquet_encode::Codec::kSnappy;
  if (name == "gzip") return parquet_encode::Codec::kGzip;
  if (name == "lz4") return parquet_encode::Codec::kLz4Raw;
  if (name == "none") return parquet_encode::Codec::kNone;
  return Status::Invalid("\"" + name + "\" is not a compression").Help("zstd, snappy, gzip, lz4 or none");
}

}  // namespace

Result<std::shared_ptr<const FileFormat>> MakeParquetFormat(const ParquetWriteOptions& options) {
  parquet_encode::EncodeOptions encode;
  encode.codec = MUTIRAO_TRY(CodecOf(options.compression));
  encode.level = options.compression_level;
  return std::shared_ptr<const FileFormat>(std::make_shared<ParquetFormat>(std::move(encode), options.row_group_rows));
}

}  // namespace mutirao::formats
