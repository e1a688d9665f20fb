#include "engine/exchange/exchange_source.h"

#include <atomic>

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>

#include "columnar/arrow_status.h"
#include "engine/exchange/exchange_file.h"
#include "engine/exchange/exchange_sink.h"
#include "engine/stage.h"
#include "frame/plan/plan_json.h"

namespace mutirao::engine {
namespace {

// A worker takes a split, and reads its streams one after another.
class ExchangeScan : public frame::Scan {
 public:
  ExchangeScan(SchemaPtr schema, frame::ScanRequest request, frame::ScanContext context)
      : schema_(std::move(schema)),
        request_(std::move(request)),
        context_(std::move(context)),
        workers_(static_cast<size_t>(request_.workers)) {
    for (const std::string& name : request_.columns) columns_.push_back(schema_->GetFieldIndex(name));
  }

  Result<frame::Morsel> Next(int number) override {
    Worker& worker = workers_[static_cast<size_t>(number)];
    for (;;) {
      if (context_.stop.stop_requested()) return Status::Cancelled("the scan was asked to stop");
      if (worker.reader != nullptr) {
        BatchPtr batch = MUTIRAO_TRY(ReadBatch(worker));
        if (batch != nullptr) return frame::Morsel{std::move(batch), worker.sequence++};
      } else if (worker.next_stream < worker.streams.size()) {
        MUTIRAO_TRY(OpenStream(worker));
      } else {
        const size_t split = next_split_.fetch_add(1);
        if (split >= request_.splits.size()) return frame::Morsel{};
        MUTIRAO_TRY(OpenSplit(worker, split));
      }
    }
  }

 private:
  struct Worker {
    std::unique_ptr<storage::Object> file;
    std::vector<ExchangeStream> streams;
    size_t next_stream = 0;
    std::shared_ptr<arrow::ipc::RecordBatchReader> reader;
    int64_t sequence = 0;
  };

  Status OpenSplit(Worker& worker, size_t split) {
    const Json& description = request_.splits[split].description;
    if (!description.is_object() || !description.contains("file") || !description["file"].is_string() ||
        !description.contains("bucket") || !description["bucket"].is_number_integer() ||
        description["bucket"].get<int64_t>() < 0) {
      return Status::Invalid("a split of an exchange needs \"file\" and \"bucket\"");
    }
    const auto file = description["file"].get<std::string>();
    const auto bucket = description["bucket"].get<size_t>();
    const storage::Store* store = MUTIRAO_TRY(storage::StoreFor(file));
    worker.file = MUTIRAO_TRY(store->Open(file));
    ExchangeIndex index = MUTIRAO_TRY(ExchangeIndex::Read(*worker.file));
    if (bucket >= index.buckets.size()) return Status::Invalid(file + " has no bucket " + std::to_string(bucket));
    worker.streams = std::move(index.buckets[bucket]);
    worker.next_stream = 0;
    worker.sequence = static_cast<int64_t>(split) << 32;
    return {};
  }

  Status OpenStream(Worker& worker) {
    const ExchangeStream& stream = worker.streams[worker.next_stream++];
    std::shared_ptr<arrow::Buffer> bytes = MUTIRAO_TRY(arrow::AllocateBuffer(stream.length));
    const auto out = std::as_writable_bytes(std::span(bytes->mutable_data(), static_cast<size_t>(stream.length)));
    int64_t read = MUTIRAO_TRY(worker.file->ReadAt(stream.offset, out));
    if (read != stream.length) return Status::Io(worker.file->uri() + " ends early");
    context_.counters->bytes_read += read;
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;
    worker.reader = MUTIRAO_TRY(
        arrow::ipc::RecordBatchStreamReader::Open(std::make_shared<arrow::io::BufferReader>(bytes), options));
    if (worker.reader->schema()->Equals(*schema_, false)) return {};
    return Status::Invalid(worker.file->uri() + " has other columns than the task expects");
  }

  Result<BatchPtr> ReadBatch(Worker& worker) {
    BatchPtr batch;
    MUTIRAO_TRY(worker.reader->ReadNext(&batch));
    if (batch == nullptr) {
      worker.reader.reset();
      return batch;
    }
    context_.counters->rows_read += batch->num_rows();
    context_.counters->rows_delivered += batch->num_rows();
    return MUTIRAO_TRY(batch->SelectColumns(columns_));
  }

  const SchemaPtr schema_;
  const frame::ScanRequest request_;
  const frame::ScanContext context_;
  std::vector<int> columns_;
  std::vector<Worker> workers_;
  std::atomic<size_t> next_split_{0};
};

Result<frame::SourcePtr> SourceFromJson(const Json& spec, const frame::FormatContext&, Diagnostics&) {
  if (!spec.contains("schema")) return Status::Invalid("an exchange source needs \"schema\"");
  SchemaPtr schema = MUTIRAO_TRY(frame::SchemaFromJson(spec["schema"]));
  return frame::SourcePtr(std::make_shared<ExchangeSource>(std::move(schema)));
}

Result<frame::SinkPtr> SinkFromJson(const Json& spec, SchemaPtr schema, const frame::FormatContext&, Diagnostics&) {
  if (!spec.contains("keys") || !spec["keys"].is_array() || !spec.contains("partitions") ||
      !spec["partitions"].is_number_integer()) {
    return Status::Invalid("an exchange sink needs \"keys\" and \"partitions\"");
  }
  std::vector<std::string> keys;
  for (const Json& key : spec["keys"]) {
    if (!key.is_string()) return Status::Invalid("a key of an exchange is no name");
    keys.push_back(key.get<std::string>());
  }
  const auto partitions = spec["partitions"].get<int64_t>();
  if (partitions < 1 || partitions > 65536) return Status::Invalid("an exchange has 1 to 65536 partitions");
  return frame::SinkPtr(
      std::make_shared<ExchangeSink>(std::move(schema), std::move(keys), static_cast<int>(partitions)));
}

}  // namespace

Json ExchangeSource::ToJson() const {
  return {{"exchange", "read"}, {"schema", frame::SchemaToJson(*schema_)}};
}

Result<std::unique_ptr<frame::Scan>> ExchangeSource::Open(const frame::ScanRequest& request,
                                                          const frame::ScanContext& context) const {
  return std::unique_ptr<frame::Scan>(std::make_unique<ExchangeScan>(schema_, request, context));
}

frame::Split ExchangeSplit(const std::string& file, int bucket) {
  frame::Split split;
  split.description = Json{{"file", file}, {"bucket", bucket}};
  return split;
}

void RegisterExchange(frame::FormatRegistry& registry) {
  registry.AddSource("exchange", SourceFromJson);
  registry.AddSink("exchange", SinkFromJson);
}

}  // namespace mutirao::engine
