#include "engine/exchange/exchange_sink.h"

#include <filesystem>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "columnar/arrow_status.h"
#include "engine/exchange/exchange_file.h"
#include "engine/keys/key_encoder.h"
#include "engine/memory/packed_batch.h"
#include "engine/pipeline/chunk.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {
namespace {

// Rows of a bucket are gathered until they are worth a batch; all buckets are written when a worker holds too many.
constexpr size_t kRowsOfABatch = size_t{1} << 14;
constexpr size_t kRowsHeld = size_t{1} << 20;

struct PackedBlock {
  std::shared_ptr<arrow::Buffer> bytes;
  int64_t rows = 0;
};

// What a worker has of one bucket: rows that wait, and batches that are packed.
struct WorkersBucket {
  std::vector<RowRef> pending;
  std::vector<PackedBlock> packed;
};

struct Worker {
  std::vector<WorkersBucket> buckets;
  std::vector<BatchPtr> held;
  size_t rows_held = 0;
};

class ExchangeWriter : public frame::SinkWriter {
 public:
  ExchangeWriter(SchemaPtr schema, std::vector<int> keys, int partitions, const frame::SinkContext& context)
      : schema_(std::move(schema)),
        keys_(std::move(keys)),
        partitions_(keys_.empty() ? 1 : static_cast<size_t>(partitions)),
        folder_(context.staging),
        name_(ExchangeFileName(context.attempt)),
        workers_(static_cast<size_t>(context.workers)) {
    for (Worker& worker : workers_) worker.buckets.resize(partitions_);
  }
  ~ExchangeWriter() override {
    std::error_code ignored;
    std::filesystem::remove(Partial(), ignored);
  }

  Status Write(int number, const BatchPtr& batch) override {
    Worker& worker = workers_[static_cast<size_t>(number)];
    if (keys_.empty()) return Append(worker.buckets[0], *batch);
    KeyBatch keys;
    KeyEncoder encoder(keys_);
    MUTIRAO_TRY(encoder.Encode(*batch, &keys));
    const auto chunk = static_cast<uint32_t>(worker.held.size());
    worker.held.push_back(batch);
    worker.rows_held += keys.size();
    for (uint32_t row = 0; row < keys.size(); ++row) {
      worker.buckets[BucketOf(keys.hashes[row], static_cast<uint32_t>(partitions_))].pending.push_back({chunk, row});
    }
    return worker.rows_held >= std::min(kRowsHeld, kRowsOfABatch * partitions_) ? Flush(worker) : Status();
  }

  Status FinishWorker(int number) override { return Flush(workers_[static_cast<size_t>(number)]); }

  Result<std::vector<frame::PartInfo>> Finish() override {
    std::shared_ptr<arrow::io::FileOutputStream> file = MUTIRAO_TRY(arrow::io::FileOutputStream::Open(Partial()));
    ExchangeIndex index;
    int64_t offset = 0, rows = 0;
    for (size_t bucket = 0; bucket < partitions_; ++bucket) {
      index.buckets.emplace_back();
      for (Worker& worker : workers_) {
        for (PackedBlock& block : worker.buckets[bucket].packed) {
          MUTIRAO_TRY(file->Write(block.bytes));
          index.buckets.back().push_back({offset, block.bytes->size(), block.rows});
          offset += block.bytes->size();
          rows += block.rows;
          block.bytes.reset();
        }
      }
    }
    const std::string footer = index.ToFooter();
    MUTIRAO_TRY(file->Write(footer.data(), static_cast<int64_t>(footer.size())));
    MUTIRAO_TRY(file->Close());
    std::error_code error;
    std::filesystem::rename(Partial(), folder_ + "/" + name_, error);
    if (error) return Status::Io("rename " + Partial() + ": " + error.message());
    return std::vector<frame::PartInfo>{{name_, rows, offset + static_cast<int64_t>(footer.size())}};
  }

 private:
  std::string Partial() const { return folder_ + "/." + name_ + ".partial"; }

  static Status Append(WorkersBucket& bucket, const arrow::RecordBatch& batch) {
    if (batch.num_rows() == 0) return {};
    std::shared_ptr<arrow::Buffer> bytes = MUTIRAO_TRY(PackBatch(batch));
    bucket.packed.push_back({std::move(bytes), batch.num_rows()});
    return {};
  }

  Status Flush(Worker& worker) {
    if (worker.held.empty()) return {};
    const BatchGather gather(schema_, worker.held);
    for (WorkersBucket& bucket : worker.buckets) {
      for (size_t at = 0; at < bucket.pending.size(); at += static_cast<size_t>(kBatchRows)) {
        const auto rows = std::span(bucket.pending)
                              .subspan(at, std::min(bucket.pending.size() - at, static_cast<size_t>(kBatchRows)));
        BatchPtr batch = MUTIRAO_TRY(gather.Take(rows));
        MUTIRAO_TRY(Append(bucket, *batch));
      }
      bucket.pending.clear();
    }
    worker.held.clear();
    worker.rows_held = 0;
    return {};
  }

  const SchemaPtr schema_;
  const std::vector<int> keys_;
  const size_t partitions_;
  const std::string folder_;
  const std::string name_;
  std::vector<Worker> workers_;
};

}  // namespace

std::string ExchangeSink::Describe() const {
  if (keys_.empty()) return "exchange to one bucket";
  return fmt::format("exchange by {} to {} buckets", fmt::join(keys_, ", "), partitions_);
}

Result<std::string> ExchangeSink::Begin(const std::string&) const {
  return Status::Unsupported("an exchange is written only by the tasks of a staged run");
}

Result<std::unique_ptr<frame::SinkWriter>> ExchangeSink::Open(const frame::SinkContext& context) const {
  std::vector<int> keys;
  for (const std::string& key : keys_) {
    keys.push_back(schema_->GetFieldIndex(key));
    if (keys.back() < 0) return Status::Invalid("exchange by \"" + key + "\", which is no column");
  }
  std::error_code error;
  std::filesystem::create_directories(context.staging, error);
  if (error) return Status::Io("make folder " + context.staging + ": " + error.message());
  return std::unique_ptr<frame::SinkWriter>(
      std::make_unique<ExchangeWriter>(schema_, std::move(keys), partitions_, context));
}

}  // namespace mutirao::engine
