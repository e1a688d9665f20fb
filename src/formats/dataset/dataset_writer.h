#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "formats/dataset/file_format.h"
#include "frame/sink.h"

namespace mutirao::formats {

/// Write the rows of one task as files in a staging folder.
///
/// All workers fill one buffer for each partition (the whole output is one partition without partition_by). Whoever
/// fills a group of rows encodes it, outside of any lock, into a file that no other worker is writing, or into a new
/// one. So groups have their full size however many workers and partitions there are, small outputs are one file, and
/// big ones get at most one open file for each worker. What is left in the buffers is encoded by Finish on all workers'
/// threads; a worker that ends while others still have a group to encode begins with it. With one worker the rows keep
/// their order.
///
/// Buffered rows take at most about 256 MiB: past that the largest buffer is encoded before its group is full.
class DatasetWriter : public frame::SinkWriter {
 public:
  DatasetWriter(SchemaPtr schema, std::vector<std::string> partition_by, int64_t target_file_bytes, bool single_file,
                std::shared_ptr<const FileFormat> format, frame::SinkContext context);
  ~DatasetWriter() override;

  Status Write(int worker, const BatchPtr& batch) override;
  Status FinishWorker(int worker) override;
  Result<std::vector<frame::PartInfo>> Finish() override;

 private:
  struct OpenFile;
  struct Lane;

  Status TryWrite(const BatchPtr& batch);
  Status Failed() const;
  Status Fail(Status status);
  Lane& LaneOf(const std::string& folder);
  Status Append(Lane& lane, BatchPtr rows);
  Status EncodeLargest();
  Status EncodeRests();
  Status Encode(Lane& lane, std::vector<BatchPtr> group);
  Result<std::unique_ptr<OpenFile>> AcquireFile(Lane& lane);
  Result<std::unique_ptr<OpenFile>> NewFile(const std::string& folder, const SchemaPtr& schema);
  Status CloseFile(OpenFile& file);
  Status RunAll(size_t count, const std::function<Status(size_t)>& task);
  Status FinishLanes();

  // Constant after construction.
  SchemaPtr schema_;
  SchemaPtr stored_schema_;
  std::vector<std::string> partition_by_;
  int64_t target_file_bytes_;
  bool single_file_;
  std::shared_ptr<const FileFormat> format_;
  frame::SinkContext context_;

  // Guarded by lanes_mutex_; a lane guards itself.
  std::shared_mutex lanes_mutex_;
  std::map<std::string, std::unique_ptr<Lane>> lanes_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  Status failed_;
  std::vector<frame::PartInfo> parts_;

  std::atomic<bool> has_failed_{false};
  std::atomic<int> ended_workers_{0};
  std::atomic<int> next_file_{0};
  std::atomic<int> open_files_{0};
  std::atomic<int64_t> buffered_bytes_{0};
};

}  // namespace mutirao::formats
