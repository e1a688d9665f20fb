#pragma once

#include <string>
#include <vector>

#include "engine/execute.h"
#include "frame/plan/plan.h"

namespace mutirao::runner {

/// The staging places of plans that write; what is not published when this goes is thrown away.
///
/// Threads: one at a time.
class StagedWrites {
 public:
  /// REQUIRES: every root is a write node. They must outlive this.
  explicit StagedWrites(const std::vector<frame::PlanPtr>& roots) : roots_(roots) {}
  ~StagedWrites();
  StagedWrites(const StagedWrites&) = delete;
  StagedWrites& operator=(const StagedWrites&) = delete;

  /// Check every target and make its staging place.
  Status Begin(const std::string& run_id);

  /// Make the outputs visible one after the other, each in one step.
  /// Errors: as Sink::Publish; says how many outputs were published before it.
  Status PublishAll(const engine::ExecutionReport& report);

  const engine::Staging& places() const { return places_; }

 private:
  const std::vector<frame::PlanPtr>& roots_;
  engine::Staging places_;
  size_t published_ = 0;
};

}  // namespace mutirao::runner
