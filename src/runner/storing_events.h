#pragma once

#include <map>
#include <mutex>
#include <string>

#include "orchestration/run/run_journal.h"
#include "runner/run_events.h"

namespace mutirao::runner {

/// Pass what happens in a run on to whoever shows it, and note progress and warnings in the run's log.
///
/// Threads: as RunEvents.
class StoringEvents : public RunEvents {
 public:
  /// Both must outlive this.
  StoringEvents(RunEvents& shown, orchestration::RunJournal& journal) : shown_(shown), journal_(journal) {}

  void OpStarted(const orchestration::OpDef& op, int attempt) override;
  void OpWillRetry(const orchestration::OpDef& op, const Status& error, int attempt,
                   orchestration::Duration delay) override;
  void OpEnded(const orchestration::OpDef& op, const orchestration::OpRecord& record) override;
  void Recorded(const orchestration::Event& event) override;
  void OpProgress(const std::string& op, const engine::Progress& progress) override;
  bool WantsProfile() const override { return shown_.WantsProfile(); }
  void OpProfiled(const std::string& op, const engine::ExecutionReport& report) override;
  void OpWarned(const std::string& op, const std::string& text) override;
  void OpWrote(const std::string& op, const std::string& line) override;
  void OpIsWrong(const std::string& op, const std::vector<orchestration::ConfigFault>& faults) override;

 private:
  struct Op {
    int attempt = 0;
    std::chrono::steady_clock::time_point told{};
    int warnings = 0;
  };

  RunEvents& shown_;
  orchestration::RunJournal& journal_;
  std::mutex mutex_;
  std::map<std::string, Op> ops_;  // guarded by mutex_
};

}  // namespace mutirao::runner
