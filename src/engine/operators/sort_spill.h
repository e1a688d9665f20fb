#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/keys/sort_key.h"
#include "engine/memory/memory_budget.h"
#include "engine/memory/spill_file.h"
#include "engine/operators/sort_run.h"

namespace mutirao::engine {

/// Sort what does not fit into memory: sorted runs in a spill file, and the merge of them.
///
/// A row on disk carries its place in the input, so that rows of equal keys come out as they came in, whichever run
/// they are in. Keys are made again when a block is read.
///
/// Threads: WriteRun any; then Start once; then Next and Gather any.
class SortSpill {
 public:
  using CheckStop = std::function<Status()>;

  /// `block_bytes`: what a run has in memory while it is merged.
  SortSpill(SpillPlace* place, SchemaPtr schema, std::vector<frame::SortKey> keys, int64_t block_bytes,
            CheckStop check_stop);
  ~SortSpill();

  /// Merge sorted runs in memory into one on disk. `held`: what their batches take.
  Status WriteRun(const std::vector<SortBatch>& batches, const std::vector<std::span<const SortRow>>& runs,
                  int64_t held);
  /// Write rows that are sorted already as a run; `bytes`: what they take in memory.
  Status WriteRows(const BatchGather& gather, std::span<const RowRef> rows, std::span<const RowOrder> orders,
                   int64_t bytes);

  /// Begin the merge, within what `share` may have: with too many runs some are merged beforehand.
  Status Start(MemoryShare& share);

  /// Some rows of the merge, in order, still in their blocks.
  struct Piece {
    std::vector<BatchPtr> blocks;
    std::vector<RowRef> rows;
    int64_t number = 0;
  };
  /// Take the next rows; none at the end.
  Result<Piece> Next();
  Result<BatchPtr> Gather(const Piece& piece) const;

 private:
  struct Run {
    std::vector<SpillBlock> blocks;
  };
  class Merge;

  Result<SpillBlock> WriteBlock(const BatchGather& gather, std::span<const RowRef> rows,
                                std::span<const RowOrder> orders);
  void AddRun(Run run);
  Status MergeSome(size_t count);
  int64_t MergeBytes(size_t runs) const { return static_cast<int64_t>(runs) * 3 * block_bytes_; }

  const SchemaPtr schema_;
  const SchemaPtr spilled_schema_;
  const std::vector<frame::SortKey> keys_;
  const int64_t block_bytes_;
  const CheckStop check_stop_;
  SpillFile file_;
  std::mutex mutex_;
  std::vector<Run> runs_;         // guarded by mutex_ until Start
  std::unique_ptr<Merge> merge_;  // used under mutex_
  size_t piece_rows_ = 0;
  int64_t next_number_ = 0;  // guarded by mutex_
};

}  // namespace mutirao::engine
