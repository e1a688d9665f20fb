#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/terminal.h"
#include "orchestration/config/project.h"

namespace mutirao::cli {

/// One command of the program: how it is called, and what it does.
struct Command {
  std::string name;
  std::string summary;
  std::vector<std::string> examples;
  /// Declare arguments and give what is to be done once they are read; its result is the exit code.
  std::function<std::function<int(Terminal&)>(CLI::App&)> declare;
  /// Not shown in lists: called by the program itself.
  bool hidden = false;
};

// One function a file.
Command RunCommand();
Command RunWorkerCommand();
Command CheckCommand();
Command ExplainCommand();
Command PreviewCommand();
Command NewCommand();
Command SchedulesCommand();
Command ServeCommand();
Command LaunchCommand();
Command CancelCommand();
Command RerunCommand();
Command RetryCommand();
Command RunsCommand();
Command LogsCommand();
Command EventsCommand();
Command LeasesCommand();
Command CleanupCommand();
Command PruneCommand();
Command MetricsCommand();
Command SchemaCommand();
Command FunctionsCommand();
Command TaskCommand();
Command DoctorCommand();
Command VersionCommand();

/// All commands in the order that help shows them.
const std::vector<Command>& AllCommands();

/// Values that -p, -c and --set gave; the commands that take a job share them.
struct LaunchFlags {
  std::string job;
  std::vector<std::string> params;
  std::vector<std::string> config_files;
  std::vector<std::string> settings;
  std::string memory;
  std::string spill_dir;
  std::string max_parallel_ops;
};

/// Declare -p, -c, --set.
void AddLaunchFlags(CLI::App& app, LaunchFlags& flags);
/// Declare --memory, --spill-dir.
void AddMemoryFlags(CLI::App& app, std::string& memory, std::string& spill_dir);

/// What the flags ask for, with the environment of this process.
orchestration::LaunchRequest RequestOf(const LaunchFlags& flags);

/// Load the job that the flags name. Faults of its contents go to `faults`.
Result<orchestration::LoadedJob> LoadJobFor(const LaunchFlags& flags, std::vector<orchestration::ConfigFault>& faults);

/// Run the program: parse, find the command, do it. Gives the exit code.
int Main(int argc, char** argv);

}  // namespace mutirao::cli
