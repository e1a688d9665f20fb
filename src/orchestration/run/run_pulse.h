#pragma once

#include <thread>

#include "orchestration/run/run_driver.h"

namespace mutirao::orchestration {

/// Say every few seconds that this process lives, and look whether somebody asked its run to stop or took it away.
///
/// Threads: has one of its own until it is destroyed. A store that fails is looked at again later: whether a run can go
/// on without it is decided by its writes.
class RunPulse {
 public:
  /// All must outlive this.
  RunPulse(Store& store, const Clock& clock, std::string run_id, std::string claim, RunDriver& driver);

 private:
  void Beat(const std::stop_token& stop);
  void Look();

  Store& store_;
  const Clock& clock_;
  const std::string run_id_;
  const std::string claim_;
  RunDriver& driver_;
  bool told_cancel_ = false;
  bool told_force_ = false;
  std::jthread thread_;
};

}  // namespace mutirao::orchestration
