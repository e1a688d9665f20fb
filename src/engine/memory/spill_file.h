#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "columnar/type.h"
#include "engine/memory/spill_place.h"

namespace mutirao::engine {

/// Where a batch stands in a spill file.
struct SpillBlock {
  int64_t offset = 0;
  int64_t length = 0;  ///< in the file
  int64_t rows = 0;
  int64_t memory = 0;  ///< bytes that the batch takes when it is read back
};

/// Write batches of one schema to disk and read them back in any order (packed, not compressed; the list of blocks is
/// kept by the writer).
///
/// Nothing is buffered but the batch at hand, so that many partitions can be open at once: each is a list of blocks in
/// the same file. Blocks below some 100 KiB cost more than they are worth.
///
/// Ownership: the place must outlive it; the file goes with it. Threads: any, at once.
/// Errors: kExhausted when the disk is full, kIo; both name the folder and say how to choose another.
class SpillFile {
 public:
  SpillFile(SpillPlace* place, SchemaPtr schema) : place_(place), schema_(std::move(schema)) {}
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  const SchemaPtr& schema() const { return schema_; }
  /// True when something was written. REQUIRES: nobody writes.
  bool is_open() const { return fd_ >= 0; }

  /// The file is made by the first of these.
  Result<SpillBlock> Write(const arrow::RecordBatch& batch);
  Result<BatchPtr> Read(const SpillBlock& block) const;
  /// Have the system read blocks from the disk while others are worked on.
  void WillRead(std::span<const SpillBlock> blocks) const;
  /// Read a block for the last time: its place on the disk is given back.
  Result<BatchPtr> Take(const SpillBlock& block);

 private:
  Status Open();

  SpillPlace* const place_;
  const SchemaPtr schema_;
  std::mutex mutex_;
  int fd_ = -1;      // written under mutex_, once
  int64_t end_ = 0;  // guarded by mutex_
};

}  // namespace mutirao::engine
