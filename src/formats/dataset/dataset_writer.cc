#include "formats/dataset/dataset_writer.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <arrow/api.h>
#include <arrow/util/byte_size.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "formats/dataset/partition_split.h"

namespace mutirao::formats {
namespace {

constexpr int64_t kMaxBufferedBytes = int64_t{256} << 20;
constexpr int64_t kMaxGroupBytes = int64_t{128} << 20;
// A rest of fewer rows is not worth another thread.
constexpr int64_t kSmallestShare = 16384;
// Files kept open for more rows; far below the usual limit of 1,024 descriptors.
constexpr int kMaxIdleFiles = 128;

int64_t BytesOf(const arrow::RecordBatch& batch) {
  auto bytes = arrow::util::ReferencedBufferSize(batch);
  return bytes.ok() ? *bytes : arrow::util::TotalBufferSize(batch);
}

}  // namespace

struct DatasetWriter::OpenFile {
  frame::PartInfo part;
  std::shared_ptr<storage::FileOutput> output;
  std::unique_ptr<FileEncoder> encoder;
};

struct DatasetWriter::Lane {
  std::string folder;

  // Held while a group is encoded when there may be only one file.
  std::mutex one_file;

  // Guarded by mutex.
  std::mutex mutex;
  std::vector<BatchPtr> pending;
  int64_t rows = 0;
  int64_t bytes = 0;
  int files = 0;  // begun so far
  std::vector<std::unique_ptr<OpenFile>> idle;

  // Cut `wanted` rows (all when fewer) off the front of what is pending. REQUIRES: mutex is held.
  std::vector<BatchPtr> TakeRows(int64_t wanted) {
    std::vector<BatchPtr> group;
    size_t used = 0;
    for (; used < pending.size() && wanted > 0; ++used) {
      BatchPtr batch = pending[used];
      if (batch->num_rows() > wanted) {
        group.push_back(batch->Slice(0, wanted));
        pending[used] = batch->Slice(wanted);
        wanted = 0;
        break;
      }
      wanted -= batch->num_rows();
      group.push_back(std::move(batch));
    }
    pending.erase(pending.begin(), pending.begin() + static_cast<int64_t>(used));
    rows = 0;
    bytes = 0;
    for (const BatchPtr& left : pending) {
      rows += left->num_rows();
      bytes += BytesOf(*left);
    }
    return group;
  }
};

DatasetWriter::DatasetWriter(SchemaPtr schema, std::vector<std::string> partition_by, int64_t target_file_bytes,
                             bool single_file, std::shared_ptr<const FileFormat> format, frame::SinkContext context)
    : schema_(std::move(schema)),
      stored_schema_(WithoutColumns(*schema_, partition_by)),
      partition_by_(std::move(partition_by)),
      target_file_bytes_(target_file_bytes),
      single_file_(single_file),
      format_(std::move(format)),
      context_(std::move(context)) {}

DatasetWriter::~DatasetWriter() = default;

Status DatasetWriter::Failed() const {
  if (!has_failed_.load(std::memory_order_acquire)) {
    return context_.stop.stop_requested() ? Status::Cancelled("the run was stopped") : Status::Ok();
  }
  std::lock_guard lock(mutex_);
  return failed_;
}

Status DatasetWriter::Fail(Status status) {
  if (status.ok()) return status;
  std::lock_guard lock(mutex_);
  if (failed_.ok()) failed_ = std::move(status);
  has_failed_.store(true, std::memory_order_release);
  return failed_;
}

DatasetWriter::Lane& DatasetWriter::LaneOf(const std::string& folder) {
  {
    std::shared_lock lock(lanes_mutex_);
    if (auto found = lanes_.find(folder); found != lanes_.end()) return *found->second;
  }
  std::unique_lock lock(lanes_mutex_);
  std::unique_ptr<Lane>& lane = lanes_[folder];
  if (!lane) {
    lane = std::make_unique<Lane>();
    lane->folder = folder;
  }
  return *lane;
}

Status DatasetWriter::Write(int, const BatchPtr& batch) {
  MUTIRAO_TRY(Failed());
  return batch->num_rows() == 0 ? Status::Ok() : Fail(TryWrite(batch));
}

Status DatasetWriter::TryWrite(const BatchPtr& batch) {
  if (partition_by_.empty()) return Append(LaneOf(""), batch);
  auto pieces = MUTIRAO_TRY(SplitByPartition(batch, partition_by_));
  for (PartitionPiece& piece : pieces) MUTIRAO_TRY(Append(LaneOf(piece.folder), std::move(piece.rows)));
  return Status::Ok();
}

Status DatasetWriter::Append(Lane& lane, BatchPtr rows) {
  int64_t bytes = BytesOf(*rows);
  {
    std::lock_guard lock(lane.mutex);
    lane.rows += rows->num_rows();
    lane.bytes += bytes;
    lane.pending.push_back(std::move(rows));
  }
  buffered_bytes_ += bytes;
  for (;;) {
    std::unique_lock one_file(lane.one_file, std::defer_lock);
    if (single_file_) one_file.lock();
    std::unique_lock lock(lane.mutex);
    if (lane.rows < format_->group_rows() && lane.bytes < kMaxGroupBytes) break;
    int64_t before = lane.bytes;
    std::vector<BatchPtr> group = lane.TakeRows(format_->group_rows());
    buffered_bytes_ -= before - lane.bytes;
    lock.unlock();
    MUTIRAO_TRY(Encode(lane, std::move(group)));
  }
  return buffered_bytes_ > kMaxBufferedBytes ? EncodeLargest() : Status::Ok();
}

Status DatasetWriter::EncodeLargest() {
  Lane* largest = nullptr;
  int64_t most = 0;
  {
    std::shared_lock lanes(lanes_mutex_);
    for (auto& [folder, lane] : lanes_) {
      std::lock_guard lock(lane->mutex);
      if (lane->bytes > most) {
        most = lane->bytes;
        largest = lane.get();
      }
    }
  }
  if (largest == nullptr) return Status::Ok();
  std::unique_lock one_file(largest->one_file, std::defer_lock);
  if (single_file_) one_file.lock();
  std::unique_lock lock(largest->mutex);
  buffered_bytes_ -= largest->bytes;
  std::vector<BatchPtr> group = largest->TakeRows(largest->rows);
  lock.unlock();
  return group.empty() ? Status::Ok() : Encode(*largest, std::move(group));
}

Result<std::unique_ptr<DatasetWriter::OpenFile>> DatasetWriter::NewFile(const std::string& folder,
                                                                        const SchemaPtr& schema) {
  auto file = std::make_unique<OpenFile>();
  file->part.path = fmt::format("{}{}part-{}-{:05}{}", folder, folder.empty() ? "" : "/", context_.attempt,
                                next_file_.fetch_add(1), format_->extension());
  file->output = MUTIRAO_TRY(storage::FileOutput::Make(context_.staging + "/" + file->part.path));
  file->encoder = MUTIRAO_TRY(format_->Open(file->output, schema, context_.metadata));
  return file;
}

Result<std::unique_ptr<DatasetWriter::OpenFile>> DatasetWriter::AcquireFile(Lane& lane) {
  {
    std::lock_guard lock(lane.mutex);
    if (!lane.idle.empty()) {
      auto file = std::move(lane.idle.back());
      lane.idle.pop_back();
      return file;
    }
    ++lane.files;
  }
  ++open_files_;
  return NewFile(lane.folder, stored_schema_);
}

Status DatasetWriter::Encode(Lane& lane, std::vector<BatchPtr> group) {
  auto file = MUTIRAO_TRY(AcquireFile(lane));
  MUTIRAO_TRY(file->encoder->WriteGroup(group));
  for (const BatchPtr& batch : group) file->part.rows += batch->num_rows();
  auto bytes = MUTIRAO_TRY(file->output->Tell());
  bool is_full = bytes >= target_file_bytes_ || open_files_ > kMaxIdleFiles;
  if (is_full && !single_file_) return CloseFile(*file);
  std::lock_guard lock(lane.mutex);
  lane.idle.push_back(std::move(file));
  return Status::Ok();
}

Status DatasetWriter::CloseFile(OpenFile& file) {
  MUTIRAO_TRY(file.encoder->Close(file.part.rows));
  MUTIRAO_TRY(file.output->Keep());
  file.part.bytes = MUTIRAO_TRY(file.output->Tell());
  --open_files_;
  std::lock_guard lock(mutex_);
  parts_.push_back(file.part);
  return Status::Ok();
}

Status DatasetWriter::FinishWorker(int) {
  MUTIRAO_TRY(Failed());
  // What is left when the last one ends is shared out by Finish.
  if (++ended_workers_ >= context_.workers || single_file_) return Status::Ok();
  return Fail(EncodeRests());
}

// Encodes what waits in lanes that have files already, so that a small output stays one file and one group.
Status DatasetWriter::EncodeRests() {
  std::vector<Lane*> lanes;
  {
    std::shared_lock lock(lanes_mutex_);
    for (auto& [folder, lane] : lanes_) lanes.push_back(lane.get());
  }
  for (Lane* lane : lanes) {
    MUTIRAO_TRY(Failed());
    std::unique_lock lock(lane->mutex);
    if (lane->files == 0 || lane->rows < kSmallestShare) continue;
    buffered_bytes_ -= lane->bytes;
    std::vector<BatchPtr> rest = lane->TakeRows(lane->rows);
    lock.unlock();
    MUTIRAO_TRY(Encode(*lane, std::move(rest)));
  }
  return Status::Ok();
}

// Runs `task` for the numbers below `count` on as many threads as there are workers.
Status DatasetWriter::RunAll(size_t count, const std::function<Status(size_t)>& task) {
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i = next++; i < count; i = next++) {
      if (Status failed = Failed(); !failed.ok() || !Fail(task(i)).ok()) return;
    }
  };
  std::vector<std::jthread> threads;
  size_t wanted = std::min(count, static_cast<size_t>(std::max(context_.workers, 1)));
  for (size_t i = 1; i < wanted; ++i) threads.emplace_back(work);
  work();
  threads.clear();
  return Failed();
}

Status DatasetWriter::FinishLanes() {
  struct Rest {
    Lane* lane;
    int64_t bytes;
    std::vector<BatchPtr> rows;
  };
  std::vector<Rest> rests;
  const size_t threads = static_cast<size_t>(std::max(context_.workers, 1));
  for (auto& [folder, lane] : lanes_) {
    // Where the lane has several files already, its rest is shared out, so that no thread is left with it at the end.
    const size_t large = static_cast<size_t>(lane->rows / kSmallestShare);
    const size_t shares = std::max<size_t>(1, std::min({threads / lanes_.size(), lane->idle.size(), large}));
    const int64_t share_rows = (lane->rows + static_cast<int64_t>(shares) - 1) / static_cast<int64_t>(shares);
    while (lane->rows > 0) {
      const int64_t before = lane->bytes;
      std::vector<BatchPtr> rows = lane->TakeRows(share_rows);
      rests.push_back({lane.get(), before - lane->bytes, std::move(rows)});
    }
  }
  std::sort(rests.begin(), rests.end(), [](const Rest& a, const Rest& b) { return a.bytes > b.bytes; });
  MUTIRAO_TRY(RunAll(rests.size(), [&](size_t i) { return Encode(*rests[i].lane, std::move(rests[i].rows)); }));

  std::vector<std::unique_ptr<OpenFile>> files;
  for (auto& [folder, lane] : lanes_) {
    for (auto& file : std::exchange(lane->idle, {})) files.push_back(std::move(file));
  }
  return RunAll(files.size(), [&](size_t i) { return CloseFile(*files[i]); });
}

Result<std::vector<frame::PartInfo>> DatasetWriter::Finish() {
  MUTIRAO_TRY(Failed());
  MUTIRAO_TRY(FinishLanes());
  if (parts_.empty()) {
    // A file without rows still tells readers the columns, the partition columns among them.
    auto file = MUTIRAO_TRY(NewFile("", schema_));
    MUTIRAO_TRY(CloseFile(*file));
  }
  std::sort(parts_.begin(), parts_.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return parts_;
}

}  // namespace mutirao::formats
