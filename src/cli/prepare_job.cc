#include "cli/prepare_job.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "orchestration/definition/op_graph.h"
#include "runner/job_executor.h"

namespace mutirao::cli {

bool PrepareJob(const Terminal& terminal, const LaunchFlags& flags, const std::vector<std::string>& only,
                std::optional<orchestration::LoadedJob>& job, std::set<std::string>& selected, int& code) {
  std::vector<orchestration::ConfigFault> faults;
  code = kExitInput;
  Result<orchestration::LoadedJob> loaded = LoadJobFor(flags, faults);
  if (!loaded.ok()) {
    terminal.Fail(loaded.status(), faults);
    return false;
  }
  job = std::move(loaded).value();
  Result<std::set<std::string>> chosen = orchestration::SelectOps(job->def, only);
  if (!chosen.ok()) {
    terminal.Fail(chosen.status());
    code = kExitUsage;
    return false;
  }
  selected = std::move(chosen).value();
  for (const std::string& name : job->launch.missing) {
    faults.push_back({.document = job->document,
                      .diagnostic = {.message = fmt::format("param \"{}\" has no value", name),
                                     .pointer = job->def.FindParam(name)->pointer,
                                     .help = fmt::format("give one with -p {}=VALUE, or a default in the job", name)}});
  }
  runner::JobCheck check = runner::CheckJob(*job, selected);
  for (orchestration::ConfigFault& fault : check.faults) faults.push_back(std::move(fault));
  if (!faults.empty()) {
    terminal.Fail(faults);
    return false;
  }
  if (terminal.verbose > 0) {
    for (const std::string& note : check.notes) terminal.Say("note: " + note);
  }
  return true;
}

}  // namespace mutirao::cli
