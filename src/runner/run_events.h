#pragma once

#include <string>

#include "engine/execute.h"
#include "orchestration/config/fault.h"
#include "orchestration/run/run.h"

namespace mutirao::runner {

/// Told what happens in a run, in more detail than orchestration knows. Threads: OpProgress and OpWarned from any, the
/// rest from the thread that runs.
class RunEvents : public orchestration::RunObserver {
 public:
  virtual void OpProgress(const std::string& /*op*/, const engine::Progress&) {}
  virtual void OpWarned(const std::string& /*op*/, const std::string& /*text*/) {}
  /// True when the engine is to measure where time goes; OpProfiled is told then.
  virtual bool WantsProfile() const { return false; }
  /// What the engine measured, at the end of an execution that went well.
  virtual void OpProfiled(const std::string& /*op*/, const engine::ExecutionReport&) {}
  /// One line that a command wrote to its standard output or error.
  virtual void OpWrote(const std::string& /*op*/, const std::string& /*line*/) {}
  /// The op cannot be run as it is written.
  virtual void OpIsWrong(const std::string& /*op*/, const std::vector<orchestration::ConfigFault>&) {}
};

}  // namespace mutirao::runner
