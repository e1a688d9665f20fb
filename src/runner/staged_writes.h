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

  /// Sink::Verify for every output, before any becomes visible.
  Status VerifyAll(const engine::ExecutionReport& report) const;

  /// Make the outputs visible one after the other, each in one step. REQUIRES: VerifyAll.
  /// Errors: as Sink::Publish; says which outputs are visible already and which are as they were.
  Status PublishAll(const engine::ExecutionReport& report);

  /// How many outputs are visible: that many, from the first.
  size_t published() const { return published_; }

  const engine::Staging& places() const { return places_; }

 private:
  std::string HowFar() const;

  const std::vector<frame::PlanPtr>& roots_;
  engine::Staging places_;
  size_t published_ = 0;
};

}  // namespace mutirao::runner
