#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/compression.h>

#include "columnar/arrow_status.h"
#include "formats/dataset/dataset_sink.h"
#include "formats/ipc/register_ipc.h"

namespace mutirao::formats {
namespace {

class IpcEncoder : public FileEncoder {
 public:
  IpcEncoder(std::shared_ptr<storage::FileOutput> output, SchemaPtr schema,
             std::shared_ptr<arrow::ipc::RecordBatchWriter> writer)
      : output_(std::move(output)), schema_(std::move(schema)), writer_(std::move(writer)) {}

  Status WriteGroup(const std::vector<BatchPtr>& batches) override {
    // One batch: what partitions leave of a batch is too small to be stored by itself.
    auto table = MUTIRAO_TRY(arrow::Table::FromRecordBatches(schema_, batches));
    auto whole = MUTIRAO_TRY(table->CombineChunksToBatch());
    return Told(writer_->WriteRecordBatch(*whole));
  }

  Status Close(int64_t) override { return Told(writer_->Close()); }

 private:
  Status Told(const arrow::Status& status) const {
    if (status.ok()) return Status::Ok();
    if (!output_->failed().ok()) return output_->failed();
    return FromArrow(status).Context("writing " + output_->path());
  }

  std::shared_ptr<storage::FileOutput> output_;
  SchemaPtr schema_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

class IpcFormat : public FileFormat {
 public:
  explicit IpcFormat(arrow::ipc::IpcWriteOptions options) : options_(std::move(options)) {}

  std::string extension() const override { return ".arrow"; }
  int64_t group_rows() const override { return 65536; }

  Result<std::unique_ptr<FileEncoder>> Open(std::shared_ptr<storage::FileOutput> output, const SchemaPtr& schema,
                                            const Json& metadata) const override {
    std::shared_ptr<arrow::KeyValueMetadata> told;
    if (metadata.is_object()) {
      told = arrow::key_value_metadata({"mutirao"}, {metadata.dump(-1, ' ', false, Json::error_handler_t::replace)});
    }
    auto writer = MUTIRAO_TRY(arrow::ipc::MakeFileWriter(output, schema, options_, told));
    return std::unique_ptr<FileEncoder>(std::make_unique<IpcEncoder>(std::move(output), schema, std::move(writer)));
  }

  Result<int64_t> CountRows(const std::string& path) const override {
    auto file = MUTIRAO_TRY(arrow::io::ReadableFile::Open(path));
    auto reader = arrow::ipc::RecordBatchFileReader::Open(file);
    if (!reader.ok()) return Status::Io(path + " is not whole: " + reader.status().message());
    auto rows = (*reader)->CountRows();
    if (!rows.ok()) return Status::Io(path + " is not whole: " + rows.status().message());
    return *rows;
  }

 private:
  arrow::ipc::IpcWriteOptions options_;
};

}  // namespace

Json IpcSinkSchema() {
  Json properties = DatasetProperties("ipc");
  properties["compression"] = {
      {"enum", {"lz4", "zstd", "none"}}, {"default", "lz4"}, {"description", "How buffers are compressed."}};
  return SpecSchema("ipc", "an ipc output", std::move(properties));
}

Result<frame::SinkPtr> MakeIpcSink(const Json& spec, SchemaPtr schema, const frame::FormatContext& context,
                                   Diagnostics& errors) {
  auto options = MUTIRAO_TRY(ReadDatasetOptions(spec, IpcSinkSchema(), "ipc", ".arrow", *schema, context, errors));
  auto write = arrow::ipc::IpcWriteOptions::Defaults();
  write.use_threads = false;
  std::string compression = spec.value("compression", "lz4");
  if (compression == "lz4") write.codec = MUTIRAO_TRY(arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME));
  if (compression == "zstd") write.codec = MUTIRAO_TRY(arrow::util::Codec::Create(arrow::Compression::ZSTD));
  return frame::SinkPtr(std::make_shared<DatasetSink>("ipc", std::move(schema), spec, std::move(options),
                                                      std::make_shared<IpcFormat>(std::move(write))));
}

}  // namespace mutirao::formats
