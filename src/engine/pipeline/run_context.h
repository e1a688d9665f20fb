#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <vector>

#include "engine/execute.h"
#include "engine/memory/memory_budget.h"
#include "engine/memory/spill_place.h"

namespace mutirao::engine {

class Profiler;

/// What all operators of one execution share. Those of one node have a copy that counts for the node alone.
/// Threads: read-only while it runs, but for what looks after itself.
struct RunContext {
  const ExecuteOptions* options = nullptr;
  int workers = 1;
  /// Never null while operators are there.
  MemoryBudget* memory = nullptr;
  SpillPlace* spill = nullptr;
  /// Null unless a profile is asked for.
  Profiler* profiler = nullptr;
  /// Index of the node among those of the plan; -1 for what belongs to none.
  int node = -1;
  /// See frame::ScanRequest.
  double cached_share = 1;
  /// Stops on the caller's request and on the first failure.
  std::stop_token stop;

  /// REQUIRES: called at least once a batch and in every long loop.
  Status CheckStop() const {
    if (stop.stop_requested()) return Status::Cancelled("the run was asked to stop");
    return {};
  }
};

/// The context of one node's operators: what they hold and set aside is counted for the node as well as for the run.
struct NodeContext {
  NodeContext(const RunContext& whole, int node) : memory(whole.memory), spill(whole.spill), run(whole) {
    run.memory = &memory;
    run.spill = &spill;
    run.node = node;
  }

  MemoryBudget memory;
  SpillPlace spill;
  RunContext run;
};

}  // namespace mutirao::engine
