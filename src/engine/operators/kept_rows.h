#pragma once

#include <memory>
#include <vector>

#include "engine/memory/memory_budget.h"
#include "engine/memory/spill_file.h"
#include "engine/pipeline/chunk.h"
#include "engine/pipeline/run_context.h"

namespace mutirao::engine {

/// Batches that are kept until their pipeline has ended, then read in the order of their positions: in memory while
/// the budget has room, else on disk.
///
/// Threads: Add by all workers, each with its number; Finish once; then Batch any; Close once nobody reads.
class KeptRows {
 public:
  KeptRows(const RunContext* run, SchemaPtr schema);

  Status Add(int worker, const Chunk& chunk);
  void Finish();

  size_t batches() const { return kept_.size(); }
  int64_t rows(size_t at) const { return kept_[at].rows; }
  Result<BatchPtr> Batch(size_t at) const;
  /// Let all go.
  void Close();

 private:
  struct Kept {
    Position position;
    int64_t rows = 0;
    BatchPtr batch;  ///< null: on disk
    SpillBlock block;
  };
  struct Worker {
    explicit Worker(MemoryBudget* budget) : share(budget) {}
    std::vector<Kept> kept;
    MemoryShare share;
  };

  SpillFile file_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Kept> kept_;
};

}  // namespace mutirao::engine
