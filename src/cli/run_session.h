#pragma once

#include <set>
#include <string>

#include "cli/terminal.h"
#include "orchestration/config/project.h"
#include "orchestration/run/run.h"
#include "orchestration/store/store.h"
#include "runner/run_profile.h"

namespace mutirao::cli {

/// How a run that this process did came out.
struct SessionResult {
  orchestration::RunRecord run;
  Json document;   ///< as run.json
  int signal = 0;  ///< the first that asked it to stop, or 0
  bool has_stuck_threads = false;
};

/// Do a claimed run in this process: shown on `terminal`, stopped by SIGINT and SIGTERM, its account beside its
/// outputs. REQUIRES: HoldStopSignals. Errors: those of StoredRun::Begin. Without
/// `folder`, when it cannot be made, logs are not kept. `profile` takes what the engine measures; null: it does not.
Result<SessionResult> RunClaimed(const Terminal& terminal, const orchestration::LoadedJob& job,
                                 const std::set<std::string>& selected, orchestration::Store& store,
                                 const orchestration::RunRow& claimed, const std::string& folder,
                                 runner::RunProfile* profile = nullptr);

/// The exit code of a run: of its first failed op, of the signal that stopped it, 4 when it left something behind or
/// its end could not be stored.
int ExitCodeFor(const SessionResult& result);

}  // namespace mutirao::cli
