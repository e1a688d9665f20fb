#include "engine/exchange/exchange_sink.h"

#include <algorithm>
#include <filesystem>
#include <span>

#include <arrow/api.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "columnar/arrow_status.h"
#include "engine/exchange/exchange_file.h"
#include "engine/keys/key_encoder.h"
#include "engine/memory/batch_bytes.h"
#include "engine/memory/packed_batch.h"
#include "engine/pipeline/chunk.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {
namespace {

// Rows of a bucket are gathered until they are worth a batch; all buckets are packed when a worker holds too many, and
// written when too much is packed: what waits here is in nobody's budget.
constexpr size_t kRowsOfABatch = size_t{1} << 14;
constexpr size_t kRowsHeld = size_t{1} << 20;
constexpr int64_t kBytesHeld = int64_t{32} << 20;
constexpr int64_t kLeastBytesHeld = int64_t{4} << 20;  // of a worker, where they are many
// Packed bytes of all workers: enough for stretches of a megabyte of each bucket, and no more, since memory that was
// written out serves the next.
constexpr int64_t kStretchBytes = int64_t{1} << 20;
constexpr int64_t kLeastBytesPacked = int64_t{4} << 20;
constexpr int64_t kMostBytesPacked = int64_t{64} << 20;

struct PackedBlock {
  PackedBatch batch;    // empty once it is in the file
  ExchangeBlock place;  // its offset is known once it is in the file
};

// What a worker has of one bucket: rows that wait, and batches that are packed, of which the first are written.
struct WorkersBucket {
  std::vector<RowRef> pending;
  std::vector<PackedBlock> packed;
  size_t written = 0;
};

struct Worker {
  std::vector<WorkersBucket> buckets;
  std::vector<BatchPtr> held;
  size_t rows_held = 0;
  int64_t bytes_held = 0;
  int64_t bytes_packed = 0;
};

class ExchangeWriter : public frame::SinkWriter {
 public:
  ExchangeWriter(SchemaPtr schema, std::vector<int> keys, int partitions, int workers,
                 std::unique_ptr<ExchangeOutput> output)
      : schema_(std::move(schema)),
        keys_(std::move(keys)),
        partitions_(keys_.empty() ? 1 : static_cast<size_t>(partitions)),
        packing_(keys_.empty() ? Packing::kMapped : Packing::kSmall),
        output_(std::move(output)),
        workers_(static_cast<size_t>(workers)) {
    for (Worker& worker : workers_) worker.buckets.resize(partitions_);
  }

  Status Write(int number, const BatchPtr& batch) override {
    Worker& worker = workers_[static_cast<size_t>(number)];
    if (keys_.empty()) {
      MUTIRAO_TRY(Pack(worker, 0, *batch));
      return WriteWhereMuch(worker);
    }
    KeyBatch keys;
    KeyEncoder encoder(keys_);
    MUTIRAO_TRY(encoder.Encode(*batch, &keys));
    const auto chunk = static_cast<uint32_t>(worker.held.size());
    worker.held.push_back(batch);
    worker.rows_held += keys.size();
    worker.bytes_held += BytesOfRows(*batch);
    for (uint32_t row = 0; row < keys.size(); ++row) {
      worker.buckets[BucketOf(keys.hashes[row], static_cast<uint32_t>(partitions_))].pending.push_back({chunk, row});
    }
    return HoldsMuch(worker) ? Flush(worker) : Status();
  }

  Status FinishWorker(int number) override { return Flush(workers_[static_cast<size_t>(number)]); }

  Result<std::vector<frame::PartInfo>> Finish() override {
    MUTIRAO_TRY(WritePacked(workers_));
    ExchangeIndex index;
    int64_t rows = 0;
    for (size_t bucket = 0; bucket < partitions_; ++bucket) {
      index.buckets.emplace_back();
      for (const Worker& worker : workers_) {
        for (const PackedBlock& block : worker.buckets[bucket].packed) {
          index.buckets.back().push_back(block.place);
          rows += block.place.rows;
        }
      }
    }
    int64_t size = MUTIRAO_TRY(output_->Finish(index));
    return std::vector<frame::PartInfo>{{output_->name(), rows, size}};
  }

 private:
  bool HoldsMuch(const Worker& worker) const {
    const auto workers = static_cast<int64_t>(workers_.size());
    return worker.rows_held >= std::min(kRowsHeld, kRowsOfABatch * partitions_) ||
           worker.bytes_held >= std::max(kLeastBytesHeld, kBytesHeld / workers);
  }

  Status Pack(Worker& worker, size_t bucket, const arrow::RecordBatch& batch) {
    if (batch.num_rows() == 0) return {};
    PackedBatch packed = MUTIRAO_TRY(PackBatch(batch, packing_));
    const ExchangeBlock place{.length = packed.bytes, .rows = batch.num_rows()};
    worker.bytes_packed += packed.bytes;
    worker.buckets[bucket].packed.push_back({std::move(packed), place});
    return {};
  }

  Status Flush(Worker& worker) {
    if (worker.held.empty()) return {};
    const BatchGather gather(schema_, worker.held);
    for (size_t number = 0; number < partitions_; ++number) {
      WorkersBucket& bucket = worker.buckets[number];
      for (size_t at = 0; at < bucket.pending.size(); at += static_cast<size_t>(kBatchRows)) {
        const auto rows = std::span(bucket.pending)
                              .subspan(at, std::min(bucket.pending.size() - at, static_cast<size_t>(kBatchRows)));
        BatchPtr batch = MUTIRAO_TRY(gather.Take(rows));
        MUTIRAO_TRY(Pack(worker, number, *batch));
      }
      bucket.pending.clear();
    }
    worker.held.clear();
    worker.rows_held = 0;
    worker.bytes_held = 0;
    return WriteWhereMuch(worker);
  }

  Status WriteWhereMuch(Worker& worker) {
    const int64_t most =
        std::clamp(static_cast<int64_t>(partitions_) * kStretchBytes, kLeastBytesPacked, kMostBytesPacked);
    const bool much = worker.bytes_packed >= most / static_cast<int64_t>(workers_.size());
    return much ? WritePacked(std::span(&worker, 1)) : Status();
  }

  // All that these workers have packed, bucket by bucket.
  Status WritePacked(std::span<Worker> workers) {
    std::vector<PackedBlock*> blocks;
    std::vector<PackedBatch> batches;
    for (size_t number = 0; number < partitions_; ++number) {
      for (Worker& worker : workers) {
        WorkersBucket& bucket = worker.buckets[number];
        for (; bucket.written < bucket.packed.size(); ++bucket.written) {
          blocks.push_back(&bucket.packed[bucket.written]);
          batches.push_back(std::move(blocks.back()->batch));
        }
      }
    }
    const std::vector<int64_t> begins = MUTIRAO_TRY(output_->Append(batches));
    for (size_t i = 0; i < blocks.size(); ++i) blocks[i]->place.offset = begins[i];
    for (Worker& worker : workers) worker.bytes_packed = 0;
    return {};
  }

  const SchemaPtr schema_;
  const std::vector<int> keys_;
  const size_t partitions_;
  const Packing packing_;  // what goes to one bucket is what every reader keeps
  const std::unique_ptr<ExchangeOutput> output_;
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
  auto output = MUTIRAO_TRY(ExchangeOutput::Create(context.staging, context.attempt));
  return std::unique_ptr<frame::SinkWriter>(
      std::make_unique<ExchangeWriter>(schema_, std::move(keys), partitions_, context.workers, std::move(output)));
}

}  // namespace mutirao::engine
