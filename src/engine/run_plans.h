#pragma once

#include <map>
#include <vector>

#include "engine/execute.h"

namespace mutirao::engine {

/// The pieces that scans are to read, by node; scans that are not named read all of theirs.
using ScanSplits = std::map<const frame::PlanNode*, std::vector<frame::Split>>;

/// Execute(), with the pieces of some scans given: how one task of a stage runs.
Result<ExecutionReport> ExecuteSplits(const std::vector<frame::PlanPtr>& writes, const Staging& staging,
                                      const ScanSplits& splits, const ExecuteOptions& options);

}  // namespace mutirao::engine
