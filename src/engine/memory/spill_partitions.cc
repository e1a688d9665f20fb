#include "engine/memory/spill_partitions.h"

#include <algorithm>

#include <arrow/api.h>

#include "engine/memory/batch_bytes.h"
#include "engine/pipeline/chunk.h"

namespace mutirao::engine {

Status SpillPartitions::Add(const BatchPtr& batch, std::span<const uint32_t> partition_of_row) {
  const auto chunk = static_cast<uint32_t>(held_.size());
  int64_t bytes = 0;
  BatchPtr kept = MUTIRAO_TRY(Compact(batch, &bytes));
  held_.push_back(std::move(kept));
  held_bytes_ += bytes;
  for (uint32_t row = 0; row < partition_of_row.size(); ++row) {
    const uint32_t partition = partition_of_row[row];
    if (partition != kDropRow) pending_[partition].push_back({chunk, row});
  }
  return held_bytes_ >= buffer_bytes_ ? Flush() : Status();
}

Status SpillPartitions::Flush() {
  if (held_.empty()) return {};
  const BatchGather gather(file_->schema(), held_);
  for (size_t partition = 0; partition < pending_.size(); ++partition) {
    std::vector<RowRef>& rows = pending_[partition];
    for (size_t at = 0; at < rows.size(); at += static_cast<size_t>(kBatchRows)) {
      const size_t count = std::min(rows.size() - at, static_cast<size_t>(kBatchRows));
      BatchPtr batch = MUTIRAO_TRY(gather.Take(std::span(rows).subspan(at, count)));
      SpillBlock block = MUTIRAO_TRY(file_->Write(*batch));
      blocks_[partition].push_back(block);
    }
    rows.clear();
  }
  held_.clear();
  held_bytes_ = 0;
  return {};
}

}  // namespace mutirao::engine
