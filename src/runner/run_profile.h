#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "engine/execute.h"
#include "orchestration/config/project.h"

namespace mutirao::runner {

/// Gather where the time of a run's frames ops went, and write it as two files: a profile with figures for each node of
/// each op's plan (docs/formats/profile.md), and a timeline in the trace format of Chrome, which Perfetto opens.
///
/// Threads: Add any; the rest when the run ended.
class RunProfile {
 public:
  /// The timeline begins now.
  RunProfile();

  /// Take over what the engine measured. REQUIRES: report.profile; called at the end of the execution.
  void Add(const std::string& op, const engine::ExecutionReport& report);

  struct Paths {
    std::string profile;
    std::string trace;
  };
  /// Where both files of a job are in a folder.
  static Paths PathsIn(const std::string& folder, const std::string& job);
  /// Where profiles of a project are unless one says otherwise.
  static std::string DefaultFolder(const orchestration::LoadedJob& job);

  /// Write both files, each whole or not at all. `run`: the document of the run (RunToJson). Errors: kIo.
  Result<Paths> Write(const std::string& folder, const Json& run) const;

 private:
  void AddTrace(const std::string& op, const engine::ExecutionReport& report, double offset_us);

  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::mutex mutex_;  // guards what follows while ops run
  Json ops_ = Json::object();
  Json events_ = Json::array();
};

}  // namespace mutirao::runner
