#include "engine/exchange/exchange_source.h"

#include <atomic>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "engine/exchange/exchange_file.h"
#include "engine/exchange/exchange_sink.h"
#include "engine/memory/packed_batch.h"
#include "engine/stage.h"
#include "frame/plan/plan_json.h"

namespace mutirao::engine {
namespace {

// Bytes that are read at once, where so many blocks follow each other.
constexpr int64_t kBytesAtOnce = int64_t{4} << 20;

// A worker takes a split, and reads its blocks one after another.
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
      if (worker.next_block < worker.blocks.size()) {
        BatchPtr batch = MUTIRAO_TRY(ReadBatch(worker));
        return frame::Morsel{std::move(batch), worker.sequence++};
      }
      const size_t split = next_split_.fetch_add(1);
      if (split >= request_.splits.size()) return frame::Morsel{};
      MUTIRAO_TRY(OpenSplit(worker, split));
    }
  }

 private:
  struct Worker {
    std::shared_ptr<storage::Object> file;
    std::vector<ExchangeBlock> blocks;
    size_t next_block = 0;
    std::shared_ptr<arrow::Buffer> bytes;  // of some blocks, from `begin` on in the file
    int64_t begin = 0;
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
    worker.blocks = std::move(index.buckets[bucket]);
    worker.next_block = 0;
    worker.bytes.reset();
    worker.sequence = static_cast<int64_t>(split) << 32;
    return {};
  }

  static bool Holds(const Worker& worker, const ExchangeBlock& block) {
    return worker.bytes != nullptr && block.offset >= worker.begin &&
           block.offset + block.length <= worker.begin + worker.bytes->size();
  }

  // The next block, and those behind it that follow without more than what aligns them.
  Status Fill(Worker& worker) {
    worker.begin = worker.blocks[worker.next_block].offset;
    int64_t end = worker.begin;
    for (size_t i = worker.next_block; i < worker.blocks.size(); ++i) {
      const ExchangeBlock& block = worker.blocks[i];
      if (block.offset < end || block.offset - end >= kPackedAlignment) break;
      const int64_t block_end = block.offset + block.length;
      if (i > worker.next_block && block_end - worker.begin > kBytesAtOnce) break;
      end = block_end;
    }
    worker.bytes.reset();
    std::shared_ptr<arrow::Buffer> bytes = MUTIRAO_TRY(arrow::AllocateBuffer(end - worker.begin));
    const auto out = std::as_writable_bytes(std::span(bytes->mutable_data(), static_cast<size_t>(bytes->size())));
    int64_t read = MUTIRAO_TRY(worker.file->ReadAt(worker.begin, out));
    if (read != bytes->size()) return Status::Io(worker.file->uri() + " ends early");
    context_.counters->bytes_read += read;
    worker.bytes = std::move(bytes);
    return {};
  }

  Result<BatchPtr> ReadBatch(Worker& worker) {
    const ExchangeBlock& block = worker.blocks[worker.next_block];
    const auto mapped = worker.file->Mapped();
    if (mapped.empty() && !Holds(worker, block)) MUTIRAO_TRY(Fill(worker));
    ++worker.next_block;
    const uint8_t* const bytes = mapped.empty() ? worker.bytes->data() + (block.offset - worker.begin)
                                                : reinterpret_cast<const uint8_t*>(mapped.data()) + block.offset;
    if (!mapped.empty()) context_.counters->bytes_read += block.length;
    const arrow::Buffer packed(bytes, block.length);
    // A mapped file lies in memory once for all workers of a machine, and longer than its name does.
    std::shared_ptr<const void> owner = mapped.empty() ? nullptr : worker.file;
    BatchPtr batch =
        MUTIRAO_TRY(UnpackBatch(packed, block.rows, schema_, std::move(owner)).Context(worker.file->uri()));
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
