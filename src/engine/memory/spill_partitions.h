#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/memory/spill_file.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {

/// Sort the rows of batches into partitions of a spill file. Rows are gathered until they are worth writing; then every
/// partition gets a block, so that what is held does not depend on how many partitions there are.
///
/// Ownership: the file must outlive it. Threads: one at a time; each worker has its own over one file.
class SpillPartitions {
 public:
  /// Writes when the held batches reach `buffer_bytes`.
  SpillPartitions(SpillFile* file, size_t partitions, int64_t buffer_bytes)
      : file_(file), buffer_bytes_(buffer_bytes), pending_(partitions), blocks_(partitions) {}

  /// Add rows, each to its partition; kDropRow leaves one out.
  Status Add(const BatchPtr& batch, std::span<const uint32_t> partition_of_row);
  static constexpr uint32_t kDropRow = UINT32_MAX;

  /// Write what is held.
  Status Flush();
  /// Bytes of the batches held.
  int64_t held() const { return held_bytes_; }

  /// The blocks of each partition. REQUIRES: flushed.
  std::vector<std::vector<SpillBlock>>& blocks() { return blocks_; }

 private:
  SpillFile* const file_;
  const int64_t buffer_bytes_;
  std::vector<BatchPtr> held_;
  int64_t held_bytes_ = 0;
  std::vector<std::vector<RowRef>> pending_;
  std::vector<std::vector<SpillBlock>> blocks_;
};

}  // namespace mutirao::engine
