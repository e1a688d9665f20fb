#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <vector>

#include "engine/execute.h"
#include "engine/memory/memory_budget.h"
#include "engine/memory/spill_place.h"

namespace mutirao::engine {

/// What all operators of one execution share. Threads: read-only while it runs, but for what looks after itself.
struct RunContext {
  const ExecuteOptions* options = nullptr;
  int workers = 1;
  /// Never null while operators are there.
  MemoryBudget* memory = nullptr;
  SpillPlace* spill = nullptr;
  /// Stops on the caller's request and on the first failure.
  std::stop_token stop;

  /// REQUIRES: called at least once a batch and in every long loop.
  Status CheckStop() const {
    if (stop.stop_requested()) return Status::Cancelled("the run was asked to stop");
    return {};
  }
};

}  // namespace mutirao::engine
