#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "cli/terminal.h"
#include "runner/run_events.h"

namespace mutirao::cli {

/// Shows a run on standard error while it goes on: a progress line on a terminal, a plain line every ten seconds
/// otherwise, what commands write, warnings, retries and failures.
class RunView : public runner::RunEvents {
 public:
  explicit RunView(const Terminal& terminal);

  void OpStarted(const orchestration::OpDef& op, int attempt) override;
  void OpWillRetry(const orchestration::OpDef& op, const Status& error, int attempt,
                   orchestration::Duration delay) override;
  void OpEnded(const orchestration::OpDef& op, const orchestration::OpRecord& record) override;
  void OpProgress(const std::string& op, const engine::Progress& progress) override;
  void OpWarned(const std::string& op, const std::string& text) override;
  void OpWrote(const std::string& op, const std::string& line) override;
  void OpIsWrong(const std::string& op, const std::vector<orchestration::ConfigFault>& faults) override;
  void Recorded(const orchestration::Event& event) override;

  /// Say a line of one's own between the others.
  void Say(const std::string& line);

 private:
  using Time = std::chrono::steady_clock::time_point;

  void ClearLine();
  void SayLine(const std::string& line, bool always);

  const Terminal& terminal_;
  const bool draws_line_;
  const bool tells_progress_;
  std::mutex mutex_;  // guards what follows
  bool line_shown_ = false;
  std::map<std::string, Time> started_;  // by op
  Time told_{};
  std::set<std::string> warned_;
  std::set<std::string> wrong_;  // ops whose faults are told
};

/// One line of progress: rows, bytes, rate, remaining time, memory.
std::string ProgressText(const std::string& op, const engine::Progress& progress, double seconds, int64_t memory);

/// "1.2 GB", "340 kB", "12 bytes"
std::string BytesText(int64_t bytes);

}  // namespace mutirao::cli
