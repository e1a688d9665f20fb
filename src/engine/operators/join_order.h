#pragma once

#include <memory>
#include <vector>

#include "engine/operators/join_state.h"
#include "engine/operators/sort_spill.h"

namespace mutirao::engine {

/// Bring what was joined piece by piece into the order that the join would have given in memory: that of the probe
/// side, partners of one row in the order of the build side, build rows alone behind them.
///
/// Threads: Add and Start one, then Next any.
class JoinOrder {
 public:
  explicit JoinOrder(JoinState* state);

  /// Take an output batch that has the places of its rows behind its columns.
  Status Add(const BatchPtr& batch);
  Status Start(MemoryShare& share);
  Result<frame::Morsel> Next();

 private:
  Status Flush();

  JoinState* const state_;
  const std::vector<frame::SortKey> keys_;
  const std::function<Status()> check_stop_;
  const int64_t run_bytes_;
  SortSpill spill_;
  std::vector<SortBatch> batches_;
  std::vector<std::vector<SortRow>> runs_;
  int64_t held_ = 0;
};

}  // namespace mutirao::engine
