#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "cli/terminal.h"
#include "orchestration/config/instance.h"

namespace mutirao::cli {

/// A project with its store.
struct ProjectStore {
  orchestration::Project project;
  orchestration::InstanceSettings instance;
  /// Null when nothing ran here yet: then none is made.
  std::unique_ptr<orchestration::Store> store;

  std::string state_folder() const { return orchestration::StateFolder(project.root); }
};

/// Open that of a folder. What is wrong is told on `terminal`, and `code` is the exit code then.
std::optional<ProjectStore> OpenProjectStore(const Terminal& terminal, int& code, const std::string& folder = ".");

/// Find the run that a user names: by its id, or `latest`. Errors: kInvalid, kNotFound.
Result<orchestration::RunRow> FindRun(const ProjectStore& project, const std::string& name);

/// Open the store and find a run, telling what is wrong.
std::optional<ProjectStore> OpenForRun(const Terminal& terminal, const std::string& name, orchestration::RunRow& run,
                                       int& code);

/// The exit code of a run that has ended: that of its cause.
int ExitCodeForRun(const orchestration::RunRow& run);

/// Wait until a run has ended, telling each change of its state. `stop` ends the waiting, not the run: kCancelled then.
Result<orchestration::RunRow> WaitForRun(const Terminal& terminal, orchestration::Store& store,
                                         const std::string& run_id, std::stop_token stop);

}  // namespace mutirao::cli
