#pragma once

#include <map>
#include <string>
#include <vector>

#include "orchestration/config/project.h"
#include "orchestration/run/run.h"
#include "runner/run_events.h"

namespace mutirao::runner {

/// How a command speaks the Pipes protocol, if it does: `pipes:` of the op.
struct PipesSettings {
  enum class Messages { kFile, kStdout, kStderr };
  enum class Silence { kIgnore, kWarn, kFail };

  /// Escaped keys of the assets that it reports on; empty: any.
  std::vector<std::string> assets;
  Messages messages = Messages::kFile;
  bool by_arguments = false;
  /// A message that cannot be read does not fail the op.
  bool lenient = false;
  /// What it means when the program sends no messages.
  Silence silence = Silence::kIgnore;
};

/// An op's command with everything replaced: what will be started.
struct BoundCommand {
  std::vector<std::string> argv;
  std::string working_dir;
  std::map<std::string, std::string> environment;  ///< on top of the run's
  Json config;                                     ///< handed over as MUTIRAO_CONFIG
  Json extras = Json::object();                    ///< of its Pipes context
  PipesSettings pipes;
};

/// Put the values of a run into an op's command. Faults are added to `errors`. Without an attempt, what only a run
/// knows (inputs, resources) is named in its place.
BoundCommand BindCommand(const orchestration::LoadedJob& job, const orchestration::OpDef& op, const std::string& run_id,
                         const orchestration::OpAttempt* attempt, Diagnostics& errors);

}  // namespace mutirao::runner
